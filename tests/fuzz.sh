#!/usr/bin/env bash
# tests/fuzz.sh [--seconds N] [--seed N] [TARGET...]: builds the fuzz targets (preset fuzz: clang, libFuzzer, address and
# undefined-behaviour sanitizers) and runs each, or those that are named, for a minute or N seconds, from tests/fuzz/corpus/TARGET and
# what earlier runs have found in build/fuzz/corpus. A seed other than 0 repeats its inputs. Ends with 1 and the input's path where one
# was found that crashes, hangs or takes too much memory: mend the reader, then keep the input in tests/fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/setup.sh

all=(idx gz npy npz csv png jpeg hdf5 results plan)
seconds=60
seed=0
targets=()
while (($# > 0)); do
  case $1 in
    --seconds) seconds=${2:?"--seconds: expected a number"}; shift ;;
    --seed) seed=${2:?"--seed: expected a number"}; shift ;;
    -*) echo "usage: tests/fuzz.sh [--seconds N] [--seed N] [TARGET...]; targets: ${all[*]}" >&2; exit 2 ;;
    *)
      if [[ " ${all[*]} " != *" $1 "* ]]; then
        echo "tests/fuzz.sh: no target '$1'; known: ${all[*]}" >&2
        exit 2
      fi
      targets+=("$1") ;;
  esac
  shift
done
if ((${#targets[@]} == 0)); then
  targets=("${all[@]}")
fi

install_packages "${packages[@]}" clang libclang-rt-dev libomp-dev
say "configuring and building build/fuzz"
cmake --preset fuzz >"$configure_log" 2>&1 || {
  cat "$configure_log" >&2
  exit 1
}
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"

# Runs one target; its output is shown where it fails.
fuzz() {
  local name=$1 folder=build/fuzz/corpus/$1 log=build/fuzz/$1.log
  mkdir -p "$folder" build/fuzz/found
  if [[ $name == plan ]]; then
    cp experiments/*.toml "$folder"
  fi
  # HDF5 asks for as much as a damaged file says, and takes no for an answer; what it touches counts all the same.
  local most=2048
  if [[ $name == hdf5 || $name == results ]]; then
    most=1000000000
  fi
  if ! "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -seed="$seed" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=$most -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$name-" "$folder" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    # Where it stopped, beneath the sanitizer's own functions. HDF5 1.10 has faults of its own that no reader here can mend: said, and no
    # failure.
    local place
    place=$(grep -E '^ *#[0-9]+ ' "$log" | grep -vE 'sanitizer|__asan|__interceptor|fuzzer::|libc\.so| in (malloc|calloc|realloc|free|mem[a-z]+|str[a-z]+) |nptl/|signal/|stdlib/|sysdeps/' |
      head -n 1) || true
    if [[ $place == */libhdf5* ]]; then
      echo "fuzz_$name: HDF5 itself failed, on an input that is kept in build/fuzz/found; all it said is in $log"
      return
    fi
    tail -n 40 "$log"
    echo "fuzz_$name failed: the input is in build/fuzz/found, all it said in $log"
    return 1
  fi
  echo "fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
}
export -f fuzz
# HDF5 leaks some memory of damaged files, and says so nowhere.
LSAN_OPTIONS=suppressions=$PWD/tests/support/leaks.txt:print_suppressions=0
ASAN_OPTIONS=allocator_may_return_null=1
export seconds seed LSAN_OPTIONS ASAN_OPTIONS OMP_NUM_THREADS=1
say "running ${targets[*]}, $seconds s each"
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I {} bash -c 'fuzz {}'
