#!/usr/bin/env bash
# gpu_smoke.sh BUILD OUT: tests/benchmarks/gpu.sh all the way at tiny sizes on the emulated device; every case must have its rate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rm -rf "$2"
tests/benchmarks/gpu.sh --device cuda_emulated --smoke --no-peers --rounds 1 --seconds 300 --build "$1" --out "$2" \
  likelihood machine rbm sampling sparse networks sequences
missing=0
while read -r part name; do
  if ! grep -qE "\"case\": \"$name\".*\"value\": [0-9.e+]+" "$2/$part.jsonl"; then
    echo "gpu_smoke: expected a rate of $name, received: $(grep -F "\"$name\"" "$2/$part.jsonl" || echo nothing)"
    missing=1
  fi
done < <("$1/tests/basin_gpu_cases" --list)
grep -q '"value": -' "$2/likelihood.jsonl" && grep -q '^| rbm_cd1_784x500_b128 |' "$2/README.md" || missing=1
exit $missing
