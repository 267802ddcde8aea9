#!/usr/bin/env bash
# Installs what is missing, builds the basin program and runs experiments/quickstart.toml: an RBM learns digits in under a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/setup.sh

install_packages "${packages[@]}"
# The program alone; a tree that is built with its tests stays so.
if [[ ! -f build/release/build.ninja ]] || ! grep -q '^BASIN_BUILD_TESTS:BOOL=ON' build/release/CMakeCache.txt; then
  configure_options+=(-DBASIN_BUILD_TESTS=OFF)
fi
build release basin_program
# The file of an earlier version's quickstart may be in the way: it is this one's to replace.
build/release/experiments/basin run experiments/quickstart.toml --force "$@"
