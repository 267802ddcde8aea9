#!/usr/bin/env bash
# One table: the test error of three protocols and of softmax regression on the built-in digits with 1,000 labels, three seeds each.
# Usage: experiments/strokes_protocols.sh [path of the basin program] [labels]
set -euo pipefail
folder="$(dirname "${BASH_SOURCE[0]}")"
basin="${1:-$folder/../build/release/experiments/basin}"
labels="${2:-1000}"
out="results/strokes_protocols"
mkdir -p "$out"

# error FILE.h5: the head's test error in percent.
error() { "$basin" info "$1" | awk '/evaluation\/test_error/ { printf "%.2f", 100 * $2 }'; }

# row NAME FILE.toml settings...: three seeds, their mean and the seconds that a seed took.
row() {
  local name=$1 toml=$2 seed file sum=0 begin=$SECONDS line
  shift 2
  line="$(printf '%-24s' "$name")"
  for seed in 1 2 3; do
    file="$out/${name}_$seed.h5"
    "$basin" run "$folder/$toml" --seed "$seed" --set "data.labels=$labels" "data.labels_seed=$seed" "$@" --out "$file" --quiet --force > /dev/null
    line+="$(printf '%8s' "$(error "$file")")"
    sum="$(awk -v a="$sum" -v b="$(error "$file")" 'BEGIN { print a + b }')"
  done
  printf '%s%8.2f%8d\n' "$line" "$(awk -v a="$sum" 'BEGIN { print a / 3 }')" $(((SECONDS - begin) / 3))
}

printf '%-24s%8s%8s%8s%8s%8s\n' "test error, %" "seed 1" "seed 2" "seed 3" mean "s/seed"
row softmax_regression strokes_softmax.toml
for protocol in supervised layerwise_frozen layerwise_fine_tune; do
  row "$protocol" strokes_protocols.toml "protocol=$protocol"
done
