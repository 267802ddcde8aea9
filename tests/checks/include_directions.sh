#!/usr/bin/env bash
# Checks the sources in lib/ and experiments/: who includes whom, heavy headers in .cpp files only, no <random>, files of at most 400 lines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

find lib experiments \( -name '*.h' -o -name '*.cpp' \) -print0 | sort -z | xargs -0 awk '
  BEGIN {
    # Folder -> the folders, or headers, that it may include besides its own.
    may["tensor"] = ""
    may["config"] = "tensor/error.h"
    may["autograd"] = "tensor"
    may["modules"] = "autograd tensor"
    may["energy"] = "modules autograd tensor"
    may["models"] = "energy modules autograd tensor config"
    may["data"] = "results tensor config"
    may["results"] = "tensor"
    may["training"] = "models energy modules autograd tensor config data results"
    # Room of a folder -> the rooms of that folder that it may include besides its own; no arrow back.
    room["modules"] = ""
    room["modules/images"] = room["modules/normalisation"] = "modules"
    room["modules/sequential"] = "modules modules/images"
    room["modules/sequences"] = room["modules/sequential"] " modules/sequential"
    room["energy"] = ""
    room["energy/factors"] = "energy"
    room["energy/factors/penalties"] = room["energy/factors/sequences"] = room["energy/factors"] " energy/factors"
    room["energy/marginal"] = room["energy/factors"] " energy/factors energy/factors/penalties energy/factors/sequences"
    room["energy/minimise"] = room["energy/sample"] = room["energy/marginal"] " energy/marginal"
    room["energy/sample/continuous"] = room["energy/sample/discrete"] = room["energy/sample"] " energy/sample"
    room["energy/minimise/unroll"] = room["energy/minimise"] " energy/minimise"
    room["energy/eliminate"] = room["energy/minimise"] " energy/minimise energy/sample energy/sample/discrete"
    room["energy/likelihood"] = room["energy/eliminate"] " energy/eliminate"
    room["energy/objectives"] = room["energy/likelihood"] " energy/likelihood energy/minimise/unroll"
    room["energy/objectives/contrast"] = room["energy/objectives/latents"] = room["energy/objectives/density"] = room["energy/objectives"] " energy/objectives"
    room["energy/objectives/labels"] = room["energy/objectives/contrast"] " energy/objectives/contrast"
    room["results/files"] = ""
    room["results/hdf5"] = room["results/pictures"] = "results/files"
    room["results"] = "results/files results/hdf5 results/pictures"
    room["results/report"] = room["results"] " results"
    room["data/readers"] = "data"
    room["data/images"] = "data data/readers"
    room["data/generators"] = room["data/images"] " data/images"
    room["data"] = room["data/sets"] = room["data/generators"] " data/generators data/sets"
    room["training/optimizers"] = ""
    room["training/measures"] = "training training/optimizers"
    room["training"] = room["training/measures"] " training/measures"
    room["training/plots"] = room["training"] " training"
    room["training/kinds"] = room["training/plots"] " training/plots"
    room["training/health"] = room["training/kinds"]
    room["training/experiment"] = room["training/kinds"] " training/kinds training/health"
    room["training/sweep"] = room["training/experiment"] " training/experiment"
    room["training/report"] = room["training/sweep"] " training/sweep"
    heavy = "^(armadillo|hdf5\\.h|dnnl|oneapi/|toml\\+\\+|hwy/|curl/|cairo|png|jpeg|cblas|zlib\\.h|fmt/|cuda)"
  }
  function fault(text) { print FILENAME ":" FNR ": " text; faults++ }
  function allowed(include, folder,    other, names, count, i) {
    other = include
    sub(/\/.*/, "", other)
    if (other == folder) return 1
    count = split(may[folder], names, " ")
    for (i = 1; i <= count; i++) if (other == names[i] || include == names[i]) return 1
    return 0
  }
  function directory(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
  }
  function room_allowed(include, from,    to, names, count, i) {
    to = directory(include)
    if (to == from || substr(to, 1, length(folder)) != folder || !(folder in room)) return 1
    count = split(room[from], names, " ")
    for (i = 1; i <= count; i++) if (to == names[i]) return 1
    return 0
  }
  FNR == 1 {
    files++
    folder = ""
    if (FILENAME ~ /^lib\//) {
      split(FILENAME, parts, "/")
      folder = parts[2]
      if (!(folder in may)) fault("unknown folder lib/" folder "; name what it may include in tests/checks/include_directions.sh")
      own = directory(substr(FILENAME, 5))
      if (folder in room && !(own in room)) fault("unknown room lib/" own "; name what it may include in tests/checks/include_directions.sh")
    }
  }
  FNR == 401 { fault("more than 400 lines; one concept a file") }
  /^#include *[<"]/ {
    include = $0
    sub(/^#include *[<"]/, "", include)
    sub(/[>"].*/, "", include)
    if (include == "random") fault("includes <random>; draw under a Key")
    # The -inl.h files of Highway are compiled once per instruction set inside .cpp files.
    if (FILENAME ~ /\.h$/ && FILENAME !~ /-inl\.h$/ && include ~ heavy && $0 !~ /"/)
      fault("a header may not bring in <" include ">; include it in a .cpp file")
    if (folder != "" && $0 ~ /"/ && !allowed(include, folder))
      fault("includes " include "; lib/" folder " may include: " folder " " may[folder])
    else if (folder != "" && $0 ~ /"/ && !room_allowed(include, own))
      fault("includes " include "; lib/" own " may include of lib/" folder ": " room[own])
  }
  END {
    if (!files) { print "no source file found"; exit 1 }
    if (faults) exit 1
    print files " files checked"
  }'
