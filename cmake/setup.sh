# Sourced by tests/run.sh and experiments/quickstart.sh from the root of the repository: install what is missing, configure, build.

# Of the program and the library; what the tests need beside them.
packages=(g++ cmake ninja-build ca-certificates libarmadillo-dev libopenblas-openmp-dev libdnnl-dev libhwy-dev libhdf5-dev
  libboost-program-options-dev libtomlplusplus-dev libfmt-dev zlib1g-dev libzip-dev libcurl4-openssl-dev libssl-dev libcairo2-dev
  libjpeg-dev)
test_packages=(libgtest-dev libbenchmark-dev hdf5-tools)

say() { printf '==> %s\n' "$*"; }

# install_packages PACKAGE...: those that are missing, by apt-get. Without apt-get, or without the right to use it, it says what is
# needed and stops. With BASIN_SKIP_PACKAGES=1 it does nothing.
install_packages() {
  if [[ ${BASIN_SKIP_PACKAGES:-} == 1 ]]; then
    return
  fi
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    {
      echo "This system has no apt-get. basin needs these packages, by their Debian names:"
      printf '  %s\n' "$@"
      echo "Install them, then run this again with BASIN_SKIP_PACKAGES=1."
    } >&2
    exit 1
  fi
  local installed missing=() package
  installed=" $(dpkg-query --show --showformat='${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    if [[ $installed != *" installed:$package "* ]]; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  local root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      {
        echo "Missing packages, and neither root nor sudo to install them: ${missing[*]}"
        echo "Where their libraries are installed in another way, run this again with BASIN_SKIP_PACKAGES=1."
      } >&2
      exit 1
    fi
    root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" </dev/null
}

# build PRESET [TARGET...]: configures build/PRESET with the options in the array `configure_options` and builds it.
build() {
  local targets=()
  if (($# > 1)); then
    targets=(--target "${@:2}")
  fi
  say "configuring and building build/$1"
  cmake --preset "$1" "${configure_options[@]}" >"$configure_log" 2>&1 || {
    cat "$configure_log" >&2
    exit 1
  }
  cmake --build --preset "$1" "${targets[@]}"
  if grep -qs '"unknown"' "build/$1/experiments/revision.cpp"; then
    say "no git repository here: results files will give the program's revision as unknown"
  fi
}

configure_options=()
configure_log=$(mktemp)
trap 'rm -f "$configure_log"' EXIT
