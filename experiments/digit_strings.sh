#!/usr/bin/env bash
# Strings of digits, read by networks that are trained on cut characters or as a whole: for each of five seeds a classifier of cut characters,
# then as many updates again by each objective from there; one table. The same command again goes on where it was ended.
# Usage: experiments/digit_strings.sh [path of the basin program] [processes at a time]
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
basin="$(realpath "${1:-$folder/../build/release/experiments/basin}")"
jobs="${2:-2}"
out="results/digit_strings"
mkdir -p "$out"

export OMP_NUM_THREADS=1
for seed in 1 2 3 4 5; do
  start="$out/start_$seed.h5"
  if [[ "$("$basin" info "$start" 2> /dev/null || true)" != "$start: complete"* ]]; then
    "$basin" run "$folder/digit_strings.toml" --single --seed "$seed" --set train.objective=cut model.normalised=true 'results.plots=[]' \
      --out "$start" --quiet --force > /dev/null
  fi
  "$basin" sweep "$folder/digit_strings.toml" --jobs "$jobs" --set "sweep.seed=[$seed]" "init_from=\"$start\"" 'results.plots=[]' \
    --out "$out/runs" > /dev/null
done
"$basin" compare "$out/runs"
