#!/usr/bin/env bash
# Installs what is missing, builds basin, runs every test and says which were skipped.
#   tests/run.sh [--preset release|debug|asan|tsan|clang] [--werror] [CTEST OPTION ...]      for example: tests/run.sh -R energy
# asan: all suites under the address and undefined-behaviour sanitizers; tsan: those that compute, on two threads under the thread
# sanitizer. Each builds everything anew, for which .ci/run has no time: they are run by hand, from time to time, and it leaves the
# sanitizers to the fuzz targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/setup.sh

preset=release
while (($# > 0)); do
  case $1 in
    --preset)
      preset=${2:?"--preset needs a name"}
      shift 2
      ;;
    --werror)
      configure_options+=(-DBASIN_WERROR=ON)
      shift
      ;;
    -h | --help)
      sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) break ;;
  esac
done
if [[ $preset == clang || $preset == tsan ]]; then
  packages+=(clang libclang-rt-dev libomp-dev)
fi
install_packages "${packages[@]}" "${test_packages[@]}"
configure_options+=(-DBASIN_BUILD_TESTS=ON)
targets=()
if [[ $preset == tsan ]]; then
  # The suites that compute, on two threads of libomp, of whose barriers Archer tells the sanitizer (libgomp's it takes for races).
  suites=(tensor autograd modules energy training)
  targets=("${suites[@]/#/test_}")
  set -- -R "^($(IFS='|' && echo "${suites[*]}"))\$" "$@"
  OMP_NUM_THREADS=2
  OMP_TOOL_LIBRARIES=$(clang++ -print-resource-dir)/../../libarcher.so
  TSAN_OPTIONS=ignore_noninstrumented_modules=1
  export OMP_NUM_THREADS OMP_TOOL_LIBRARIES TSAN_OPTIONS
fi
build "$preset" "${targets[@]}"
status=0
ctest --preset "$preset" --parallel "$(nproc)" "$@" || status=$?
tests/checks/skipped.sh "build/$preset/Testing/Temporary/LastTest.log"
if [[ -z ${BASIN_DATA:-} ]]; then
  echo "Tests that need data sets (MNIST, photographs) find them where BASIN_DATA names their folder; 'basin data list' says which."
fi
exit "$status"
