#!/usr/bin/env bash
# Installs what is missing, builds basin, runs every test and says which were skipped.
#   tests/run.sh [--preset release|debug|asan|clang] [--werror] [CTEST OPTION ...]      for example: tests/run.sh -R energy
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
      sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) break ;;
  esac
done
if [[ $preset == clang ]]; then
  packages+=(clang libomp-dev)
fi
install_packages "${packages[@]}" "${test_packages[@]}"
configure_options+=(-DBASIN_BUILD_TESTS=ON)
build "$preset"
status=0
ctest --preset "$preset" "$@" || status=$?
tests/checks/skipped.sh "build/$preset/Testing/Temporary/LastTest.log"
if [[ -z ${BASIN_DATA:-} ]]; then
  echo "Tests that need data sets (MNIST, photographs) find them where BASIN_DATA names their folder; 'basin data list' says which."
fi
exit "$status"
