#!/usr/bin/env bash
# Checks the sources in lib/ and experiments/: who includes whom, heavy headers in .cpp files only, no <random>, files of at most 400 lines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Folder -> the folders whose headers it may include, besides its own.
declare -A may_include=(
  [tensor]=""
  [config]="tensor/error.h"
  [autograd]="tensor"
  [modules]="autograd tensor"
  [energy]="modules autograd tensor"
  [models]="energy modules autograd tensor config"
  [data]="tensor config"
  [results]="tensor"
  [training]="models energy modules autograd tensor config data results"
)
faults=0
fault() {
  echo "$1"
  faults=$((faults + 1))
}

files=0
while IFS= read -r file; do
  files=$((files + 1))
  lines=$(wc -l <"$file")
  ((lines <= 400)) || fault "$file: $lines lines; at most 400, one concept a file"
  if grep -qE '^#include *<random>' "$file"; then
    fault "$file: includes <random>; draw under a Key"
  fi
  # The -inl.h files of Highway are compiled once per instruction set inside .cpp files.
  if [[ $file == *.h && $file != *-inl.h ]]; then
    while IFS= read -r include; do
      fault "$file: a header may not bring in $include; include it in a .cpp file"
    done < <(grep -oE '^#include *[<"](armadillo|hdf5\.h|dnnl|oneapi/|toml\+\+|hwy/|curl/|cairo|png|cblas|zlib\.h|fmt/|cuda)[^>"]*' "$file" || true)
  fi
  [[ $file == lib/* ]] || continue
  folder=${file#lib/}
  folder=${folder%%/*}
  if [[ -z ${may_include[$folder]+known} ]]; then
    fault "$file: unknown folder lib/$folder; name what it may include in ${BASH_SOURCE[0]}"
    continue
  fi
  while IFS= read -r include; do
    other=${include%%/*}
    allowed=no
    for one in "$folder" ${may_include[$folder]}; do
      if [[ $other == "$one" || $include == "$one" ]]; then
        allowed=yes
      fi
    done
    [[ $allowed == yes ]] || fault "$file: includes $include; lib/$folder may include: $folder ${may_include[$folder]}"
    [[ -f lib/$include ]] || fault "$file: includes $include, which is not in lib/"
  done < <(sed -nE 's/^#include *"([^"]+)".*/\1/p' "$file")
done < <(find lib experiments -name '*.h' -o -name '*.cpp' | sort)
((files > 0)) || fault "no source file found"
((faults == 0)) || exit 1
echo "$files files checked"
