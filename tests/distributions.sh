#!/usr/bin/env bash
# tests/distributions.sh [--quickstart] [--keep] [SUITE...]: both commands of README.md, or the first alone, on fresh systems: bare roots
# that debootstrap makes of Debian 12 (bookworm), Debian 13 (trixie) and Ubuntu 24.04 (noble), or of those named, from the mirrors that
# apt is set up with, in which the tree as it stands is laid. A suite that no mirror has is passed over, and said. As root; each takes as
# long as the commands on a fresh system, and 6 GB of BASIN_ROOTS (default: build/distributions) until it is done; --keep leaves the
# roots there. BASIN_DATA, if set, is the tests' there, too. Ends with 1 where a command failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/setup.sh

commands=(experiments/quickstart.sh tests/run.sh)
suites=()
keep=0
while (($# > 0)); do
  case $1 in
    --quickstart) commands=(experiments/quickstart.sh) ;;
    --keep) keep=1 ;;
    -*) sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    *) suites+=("$1") ;;
  esac
  shift
done
if ((${#suites[@]} == 0)); then
  suites=(bookworm trixie noble)
fi
if ((EUID != 0)); then
  echo "tests/distributions.sh: expected root, as making a root and entering it ask for" >&2
  exit 1
fi
install_packages debootstrap curl

roots=$(realpath -m "${BASIN_ROOTS:-build/distributions}")
mkdir -p "$roots"
proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
if [[ -n $proxy && $proxy != DIRECT ]]; then
  export http_proxy=$proxy
fi

# mirror SUITE: a mirror of apt's, or its neighbour for the other distribution, that has the suite.
mirror() {
  local uri
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u | while read -r uri; do
    for uri in "$uri" "${uri/%debian\//ubuntu/}" "${uri/%ubuntu\//debian/}"; do
      if curl --silent --fail --head --location --max-time 30 --output /dev/null "${uri%/}/dists/$1/Release"; then
        echo "${uri%/}"
        return
      fi
    done
  done | head -n 1
}

# Takes a root away, and before that what is mounted in it; stops rather than reach into what is mounted still.
remove() {
  local place
  for place in work/data dev proc sys; do
    if mountpoint -q "$1/$place"; then
      umount --recursive --lazy "$1/$place"  # what a failed command left running there may use it still
    fi
  done
  if grep -qF " $1/" /proc/mounts; then
    echo "tests/distributions.sh: something is mounted in $1 still" >&2
    exit 1
  fi
  if [[ ${2:-} != keep ]]; then
    rm -rf --one-file-system "$1"
  fi
}

# enter ROOT COMMAND...: in /work/basin of the root, with nothing of this environment but the terminal's and the proxy.
enter() {
  local root=$1
  shift
  local environment=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8)
  if [[ -n ${http_proxy:-} ]]; then
    environment+=("http_proxy=$http_proxy")
  fi
  if [[ -d $root/work/data ]]; then
    environment+=(BASIN_DATA=/work/data)
  fi
  chroot "$root" /usr/bin/env -i "${environment[@]}" /bin/bash -c 'cd /work/basin && "$@"' bash "$@"
}

# Makes the root of a suite.
make_root() {
  local suite=$1 from=$2 root=$3 components=main
  if [[ $from == *ubuntu ]]; then
    components=main,universe
  fi
  debootstrap --variant=minbase --components="$components" "$suite" "$root" "$from" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    return 1
  }
  cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/work/basin"
  git ls-files --cached --others --exclude-standard -z | tar --create --null --files-from=- | tar --extract --directory "$root/work/basin"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys" && mount --make-rslave "$root/sys"
  mount --bind /dev "$root/dev"
  if [[ -n ${BASIN_DATA:-} ]]; then
    mkdir -p "$root/work/data"
    mount --bind -o ro "$BASIN_DATA" "$root/work/data"
  fi
}

failed=0
report=()
for suite in "${suites[@]}"; do
  from=$(mirror "$suite")
  if [[ -z $from ]]; then
    report+=("$suite: no mirror has it")
    continue
  fi
  root=$roots/$suite
  remove "$root"
  trap 'rm -f "$configure_log"; remove "$root" keep' EXIT
  say "$suite: making $root"
  if ! make_root "$suite" "$from" "$root"; then
    report+=("$suite: debootstrap failed ($root.log)")
    failed=1
  else
    for command in "${commands[@]}"; do
      say "$suite: $command"
      log=$roots/$suite-$(basename "$command").log
      SECONDS=0
      if enter "$root" "$command" >"$log" 2>&1; then
        report+=("$suite: $command passes in $SECONDS s")
      else
        tail -n 40 "$log"
        report+=("$suite: $command fails ($log)")
        failed=1
      fi
    done
  fi
  if ((keep == 1)); then
    remove "$root" keep
  else
    remove "$root"
  fi
done
printf '%s\n' "${report[@]}"
exit "$failed"
