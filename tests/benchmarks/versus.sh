#!/usr/bin/env bash
# Measures basin beside its peers, in alternation in one run, and prints one line a case:
#   case ours unit best_peer peer_value ratio share_of_limit
#   tests/benchmarks/versus.sh [CASE ...] [--json] [--rounds N] [--against PROGRAM]      for example: versus.sh rbm_cd gibbs
# A CASE is rbm_cd, rbm_pcd, rbm_fpcd, gibbs, ais, sparse_encode, conv_sparse, dict_learn, convnet, lstm, deep_ae or langevin, or a result's name such as
# rbm_cd1_784x500_b100 or conv_fista_64f9x9_128px_b1; none runs all. PROGRAM is the basin_cases of an earlier build: it takes the
# place of the peers, and the ratio is the median over the rounds of the pairs' ratios.
# The peers' scripts are those in PEERS_DIR (default ../shared/peers), run by PYTHON (default /usr/bin/python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case " $* " in
  *" -h "* | *" --help "*)
    sed -n '2,8s/^# //p' tests/benchmarks/versus.sh
    exit 0
    ;;
esac
source cmake/setup.sh

{
  install_packages "${packages[@]}" "${test_packages[@]}"
  build release basin_cases
} >&2
ours=build/release/tests/basin_cases
python=${PYTHON:-/usr/bin/python3}
if [[ -x $python ]]; then
  "$python" tests/benchmarks/versus.py --ours "$ours" --peers-dir "${PEERS_DIR:-../shared/peers}" "$@"
else
  echo "peers skipped: there is no $python; the measurements of basin alone:" >&2
  arguments=()
  while (($# > 0)); do
    if [[ $1 == --rounds || $1 == --against ]]; then
      shift 2
    else
      arguments+=("$1")
      shift
    fi
  done
  "$ours" "${arguments[@]}"
fi
