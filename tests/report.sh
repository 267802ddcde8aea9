#!/usr/bin/env bash
# tests/report.sh [--program BASIN] [--shots FOLDER]: makes a page of two small runs by `basin report` and uses it in headless Chromium as
# people do (report.py): reads numbers off a curve and compares them with those of the training, moves the slider through the snapshots,
# prints; nothing may be fetched and nothing may be said on the console. Installs chromium where there is none, builds the program unless
# one is named. --shots keeps pictures of screen and print. By hand, and not part of .ci/run: Chromium is 400 MB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/setup.sh

program=
shots=()
while (($# > 0)); do
  case $1 in
    --program) program=$(realpath "${2:?"--program needs a file"}") && shift 2 ;;
    --shots) shots=(--shots "$(realpath -m "${2:?"--shots needs a folder"}")") && shift 2 ;;
    *) sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done
if [[ -z $program ]]; then
  install_packages "${packages[@]}"
  build release basin_program
  program=$PWD/build/release/experiments/basin
fi
find_browser() { command -v chromium || command -v chromium-headless-shell || command -v google-chrome; }
if ! find_browser >/dev/null; then
  install_packages chromium
fi
install_packages python3 fonts-dejavu-core

folder=$(mktemp -d)
trap 'rm -rf "$folder" "$configure_log"' EXIT
script=$PWD/tests/report.py
cd "$folder"
# Names that mean harm, to whoever forgets to escape them.
cat >'<b>"&'"'"'.toml' <<'END'
seed = 1
protocol = "layerwise_fine_tune"
data = { name = "strokes", train = 1000, test = 300, validation = 200 }
head = { kind = "softmax", plots = ["confusion"] }
fine_tune = { epochs = 12, batch = 50, optimizer = { kind = "adam", learning_rate = 3e-3 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 100 }
train = { objective = "pcd", epochs = 10, batch = 50 }
optimizer = { learning_rate = 0.1 }
evaluate = { ais = { chains = 50, temperatures = 200, burn_in = 100 } }
results = { snapshots = 2 }

[[stages]]
name = "second"
model = { kind = "rbm", hidden = 50 }
train = { epochs = 6, batch = 50 }
optimizer = { learning_rate = 0.1 }
evaluate = { log_likelihood = "none" }
results = { snapshots = 2 }
END
export OMP_NUM_THREADS=1
for protocol in layerwise_fine_tune layerwise_frozen; do
  "$program" run ./*.toml --quiet --set protocol="$protocol" --out "<i>$protocol.h5" --log-csv "$protocol.csv"
done
"$program" report ./*layerwise_fine_tune.h5 -o one.html --quiet
"$program" report ./*.h5 -o two.html --quiet
browser=$(find_browser)
python3 "$script" one.html --chromium "$browser" --slides 2 --curve error validation_error layerwise_fine_tune_head.csv \
  ${shots[0]+"${shots[0]}" "${shots[1]}/one"}
python3 "$script" two.html --chromium "$browser" --slides 4 \
  --curve error '<i>layerwise_fine_tune: validation_error' layerwise_fine_tune_head.csv ${shots[0]+"${shots[0]}" "${shots[1]}/two"}
