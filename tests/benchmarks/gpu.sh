#!/usr/bin/env bash
# Parity and speed of basin on an NVIDIA GPU, beside PyTorch where that is installed and beside the device's own libraries:
#   gpu.sh pack                      here, where there are compilers: build/gpu.tar.gz with all that another machine needs
#   gpu.sh [PART ...] [OPTION ...]   there: measures, from build/gpu.tar.gz, or from a build where there is none
# PART: parity, sanitizer, likelihood, machine, rbm, sampling, sparse, networks, sequences; none: all of them in this order.
# OPTIONS: --device NAME (cuda), --products f32|tf32|bf16, --seconds N (of each part, 540; what is measured by then is kept),
#   --rounds N (3), --out DIR (results/gpu), --no-peers, --build DIR (whose programs are taken in the place of the archive's),
#   --smoke (tiny sizes: does all of it run? With --device cuda_emulated it does so without a GPU).
# Writes DIR/PART.jsonl as it goes, and DIR/README.md from all parts that are there: what was not measured says so.
# cuBLAS 12 or 13 is looked for where CUDA or PyTorch keep it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=(basin_gpu_cases test_tensor test_autograd test_modules test_energy)
note() { printf 'gpu.sh: %s\n' "$*" >&2; }

pack() {
  local build=build/release folder=build/gpu library
  source cmake/setup.sh
  install_packages "${packages[@]}" "${test_packages[@]}"
  configure_options+=(-DBASIN_CUDA=ON)
  build release "${programs[@]}" basin_program basin_cuda
  rm -rf "$folder" && mkdir -p "$folder/bin" "$folder/lib"
  cp "${programs[@]/#/$build/tests/}" "$build/experiments/basin" "$folder/bin/"
  cp "$build/lib/libbasin_cuda.so" "$folder/lib/"
  cp experiments/quickstart.toml "$folder/"
  # All libraries; those of the C library apart, for machines whose own is older.
  mkdir "$folder/c"
  cp -L /lib64/ld-linux-x86-64.so.2 "$folder/c/"
  for library in $(ldd "$folder"/bin/* "$folder/lib/libbasin_cuda.so" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u); do
    if [[ $library =~ /lib(c|m|dl|pthread|rt|resolv|anl|util)\.so ]]; then
      cp -L "$library" "$folder/c/"
    else
      cp -L "$library" "$folder/lib/"
    fi
  done
  strip --strip-unneeded "$folder"/bin/* "$folder"/lib/*.so* 2>/dev/null || true
  tar -C build -czf build/gpu.tar.gz gpu
  local size
  size=$(stat -c %s build/gpu.tar.gz)
  note "build/gpu.tar.gz: $((size >> 20)) MiB; newest C library that it asks for: $(cat "$folder"/bin/* "$folder"/lib/* |
    grep -aoE 'GLIBC_2\.[0-9]+' | sort -uV | tail -1)"
  ((size <= 64 << 20)) || {
    note "that is more than 64 MiB"
    exit 1
  }
}

device=cuda products=f32 limit=540 rounds=3 out=results/gpu from="" peers=on smoke=() parts=()
while (($# > 0)); do
  case $1 in
    pack)
      pack
      exit 0
      ;;
    --device | --products | --seconds | --rounds | --out | --build)
      value=${2:?"$1 needs a value"}
      case $1 in
        --device) device=$value ;;
        --products) products=$value ;;
        --seconds) limit=$value ;;
        --rounds) rounds=$value ;;
        --out) out=$value ;;
        --build) from=$value ;;
      esac
      shift 2
      ;;
    --smoke)
      smoke=(--smoke)
      shift
      ;;
    --no-peers)
      peers=off
      shift
      ;;
    -h | --help)
      sed -n '2,12s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    parity | sanitizer | likelihood | machine | rbm | sampling | sparse | networks | sequences)
      parts+=("$1")
      shift
      ;;
    *)
      note "expected a part or an option, received '$1'; see gpu.sh --help"
      exit 2
      ;;
  esac
done
if ((${#parts[@]} == 0)); then
  parts=(parity sanitizer likelihood machine rbm sampling sparse networks sequences)
fi
mkdir -p "$out"

# The programs: of the archive, else of a build.
if [[ -z $from && -f build/gpu.tar.gz ]]; then
  if [[ ! -d build/gpu || build/gpu.tar.gz -nt build/gpu ]]; then
    tar -C build -xzf build/gpu.tar.gz && touch build/gpu
  fi
  bin=build/gpu/bin basin=build/gpu/bin/basin quickstart=build/gpu/quickstart.toml
  libraries=$PWD/build/gpu/lib
  export BASIN_CUDA_LIBRARY=${BASIN_CUDA_LIBRARY:-$libraries/libbasin_cuda.so}
else
  from=${from:-build/release}
  bin=$from/tests basin=$from/experiments/basin quickstart=experiments/quickstart.toml
  libraries=""
fi
[[ -x $bin/basin_gpu_cases ]] || {
  note "expected programs in build/gpu.tar.gz (gpu.sh pack) or ${from:-build/release}, found none"
  exit 1
}

# Folders of cuBLAS: CUDA's, and those of Python's packages.
has_torch() { [[ -n $1 ]] && command -v "$1" >/dev/null && "$1" -c 'import torch' 2>/dev/null; }
python=""
if [[ $peers == on ]]; then
  for candidate in "${PYTHON:-}" python3 /usr/bin/python3 python; do
    if has_torch "$candidate"; then
      python=$candidate
      break
    fi
  done
fi
search() {
  local folder
  for folder in /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib /opt/cuda/lib64 /usr/lib/x86_64-linux-gnu; do
    compgen -G "$folder/libcublas.so.1[23]" >/dev/null && printf ':%s' "$folder"
  done
  for candidate in "$python" python3 /usr/bin/python3; do
    [[ -n $candidate ]] && command -v "$candidate" >/dev/null || continue
    "$candidate" - <<'P' 2>/dev/null || true
import glob, site, sys
for base in site.getsitepackages() + [site.getusersitepackages()] + sys.path:
    for folder in glob.glob(base + "/nvidia/*/lib") + glob.glob(base + "/torch/lib"):
        if glob.glob(folder + "/libcublas*"):
            sys.stdout.write(":" + folder)
P
  done
}
# The archive's own libraries are for its programs, not for Python.
found=$(search)
if [[ $device == cuda* && $device != cuda_emulated && -z $found && -z ${BASIN_CUDA_PRODUCTS:-} ]] &&
  [[ $(ldconfig -p 2>/dev/null) != *libcublas.so.1[23]* ]]; then
  note "no cuBLAS was found: products by basin's own plain kernel, many times slower"
  export BASIN_CUDA_PRODUCTS=own
fi
paths=$libraries$found:${LD_LIBRARY_PATH:-} loader=()
run() { LD_LIBRARY_PATH=$paths "${loader[@]}" "$@"; }
# `timeout` itself is the machine's, and so is its C library.
timed() { timeout "$((left > 1 ? left : 1))" env LD_LIBRARY_PATH="$paths" "${loader[@]}" "$@"; }
if [[ -d build/gpu/c && -n $libraries ]] && { [[ -n ${GPU_SH_CARRIED:-} ]] || ! run "$bin/basin_gpu_cases" --list >/dev/null 2>&1; }; then
  note "the C library of build/gpu takes the place of the machine's"
  paths=$PWD/build/gpu/c:$paths
  loader=("$PWD/build/gpu/c/ld-linux-x86-64.so.2")
  export GOMP_SPINCOUNT=3000 # else the program would start itself again, without the loader
fi

line() { printf '{"part": "%s", "case": "%s", "who": "basin", "device": "%s", "result": "%s"}\n' "$1" "$2" "$device" "$3"; }

# Suites on the device against the CPU's kernels and against differences.
parity() {
  local suite result
  for suite in tensor autograd modules energy; do
    left=$((limit - (SECONDS - begun)))
    # Those of CudaLibrary load a file that lies in the build alone, and need no GPU.
    result=$(timed "$bin/test_$suite" --device "$device" --gtest_filter='-CudaLibrary.*' 2>&1 | tee "$out/parity_$suite.log" |
      grep -E '^\[  (PASSED|FAILED)  \] [0-9]+ tests?' | tr -d '[]' | tr -s ' ' | paste -sd, || true)
    [[ -n $result ]] || result="not measured: cut off or ended at '$(tail -1 "$out/parity_$suite.log" | tr -d '"\\')'"
    line parity "$suite" "${result# }"
  done
}

sanitizer() {
  local tool checked
  checked=$(command -v compute-sanitizer || compgen -G '/usr/local/cuda*/bin/compute-sanitizer' | head -1 || true)
  for tool in memcheck racecheck initcheck; do
    if [[ -z $checked || $device != cuda ]]; then
      line sanitizer "$tool" "not measured: there is no compute-sanitizer"
    elif timed "$checked" --tool "$tool" --error-exitcode 9 "$bin/test_tensor" --device cuda \
      --gtest_filter='-CudaLibrary.*:Guard*' >"$out/sanitizer_$tool.log" 2>&1; then
      line sanitizer "$tool" clean
    else
      line sanitizer "$tool" "$(tail -1 "$out/sanitizer_$tool.log" | tr -d '"\\')"
    fi
    left=$((limit - (SECONDS - begun)))
  done
}

# The log-likelihood of quickstart's RBM trained on either device.
likelihood() {
  local where number log
  for where in cpu "$device"; do
    log=$out/likelihood_$where.log
    timed "$basin" run "$quickstart" --quiet --force --single --device "$where" --out "$out/likelihood_$where.h5" \
      "${smoke[@]}" >"$log" 2>&1 || true
    number=$(sed -nE 's/^forward AIS +test +(-?[0-9.]+).*/\1/p' "$log" | head -1)
    printf '{"part": "likelihood", "case": "quickstart", "who": "%s", "value": %s, "unit": "nats"}\n' "$where" "${number:-0}"
    rm -f "$out/likelihood_$where".h5 "$out/likelihood_$where"_*.png
    left=$((limit - (SECONDS - begun)))
  done
}

# Rounds of basin and of each peer in turn, on programs that wait for the name of a case.
rates() {
  local part=$1 one mode round answer fill=1.5 modes=()
  ((${#smoke[@]})) && fill=0.01
  coproc OURS { run "$bin/basin_gpu_cases" --serve --device "$device" --products "$products" "${smoke[@]}" 2>>"$out/basin.log"; }
  local ours_in=${OURS[1]} ours_out=${OURS[0]} ours=$OURS_PID peer=""
  if [[ $products == bf16 ]]; then
    note "peers skipped: PyTorch has no products of f32 matrices by bf16"
  elif [[ -n $python && $device == cuda ]]; then
    modes=(eager compiled graphed)
  elif [[ -n $python && ${#smoke[@]} -gt 0 ]]; then
    modes=(eager)
  else
    note "peers skipped: there is no Python with PyTorch for $device here"
  fi
  if ((${#modes[@]} > 0)); then
    local arguments=(--device "$([[ $device == cuda ]] && echo cuda || echo cpu)" "${smoke[@]}")
    [[ $products == tf32 ]] && arguments+=(--tf32)
    mkfifo "$out/.asked" "$out/.told"
    "$python" tests/benchmarks/gpu/peers.py "${arguments[@]}" <"$out/.asked" >"$out/.told" 2>>"$out/peers.log" &
    peer=$!
    exec {peer_in}>"$out/.asked" {peer_out}<"$out/.told"
    rm -f "$out/.asked" "$out/.told"
  fi
  ask() { # ask FD_IN FD_OUT WORDS: one line of answer, or none in time
    { echo "$3" >&"$1"; } 2>/dev/null && read -r -t "$left" answer <&"$2" && printf '%s\n' "$answer"
  }
  local cases=()
  if [[ $part == machine ]]; then
    cases=(machine) modes=()
  else
    mapfile -t cases < <(run "$bin/basin_gpu_cases" --list | awk -v part="$part" '$1 == part { print $2 }')
  fi
  for one in "${cases[@]}"; do
    for ((round = 0; round < rounds; ++round)); do
      left=$((limit - (SECONDS - begun)))
      ((left > 5)) || break 2
      if ! ask "$ours_in" "$ours_out" "$one $fill"; then
        printf '{"part": "%s", "case": "%s", "who": "basin", "error": "%s"}\n' "$part" "$one" \
          "$(tail -1 "$out/basin.log" | tr -d '"\\')"
        break 2
      fi
      for mode in "${modes[@]}"; do
        left=$((limit - (SECONDS - begun)))
        ((left > 5)) || break 3
        ask "$peer_in" "$peer_out" "$one $mode $fill" || break
      done
    done
  done
  exec {ours_in}>&-
  if [[ -n $peer ]]; then
    exec {peer_in}>&- {peer_out}<&-
    kill "$peer" 2>/dev/null || true
  fi
  wait "$ours" 2>/dev/null || true
}

for part in "${parts[@]}"; do
  begun=$SECONDS left=$limit
  note "$part"
  case $part in
    parity | sanitizer | likelihood) "$part" >"$out/$part.jsonl" ;;
    *) rates "$part" >"$out/$part.jsonl" ;;
  esac
done
files=()
for part in machine parity sanitizer likelihood rbm sampling sparse networks sequences; do
  [[ -f $out/$part.jsonl ]] && files+=("$out/$part.jsonl")
done
run "$bin/basin_gpu_cases" --report "${files[@]}" >"$out/README.md"
note "the table is $out/README.md"
