#!/usr/bin/env bash
# All strategies on three densities of the plane and on bits: trains what is not trained yet, prints one table and draws one picture of all
# energies. Usage: experiments/strategies.sh [path of the basin program] [processes at a time]
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
basin="$(realpath "${1:-$folder/../build/release/experiments/basin}")"
jobs="${2:-2}"
out="results/strategies"
names=(pca kmeans gaussian_mixture ica rica energy denoising_autoencoder regularised_autoencoder sparse_coding psd)

export OMP_NUM_THREADS=1
for name in "${names[@]}" bits; do
  "$basin" sweep "$folder/strategies/$name.toml" --jobs "$jobs" > /dev/null
done

# row NAME FILE...: mean and deviation over seeds of the likelihood, at beta and at 1, of AUC, and the mean beta.
row() {
  local name=$1
  shift
  for file in "$@"; do "$basin" info "$file"; done | awk -v name="$name" '
    /evaluation\/log_likelihood_test / { n++; l += $2; ll += $2 * $2 }
    /evaluation\/log_likelihood_test_unscaled / { u += $2 }
    /evaluation\/auc_test / { a += $2; aa += $2 * $2 }
    /evaluation\/inverse_temperature / { b += log($2) }
    function deviation(sum, squares) { return n > 1 ? sqrt((squares - sum * sum / n > 0 ? squares - sum * sum / n : 0) / (n - 1)) : 0 }
    END { printf "| %s | %.3f +- %.3f | %.3f | %.4f +- %.4f | %.3g | %d |\n", name, l / n, deviation(l, ll), u / n, a / n, deviation(a, aa), exp(b / n), n }'
}

# of NAME DATA SETTING: the files of a sweep with that data set and with that line in their experiment.
of() {
  local file
  for file in results/"$1"_sweep/*"$2"*.h5; do
    if [[ -z $3 ]] || "$basin" info "$file" --toml | grep -q "^$3\$"; then echo "$file"; fi
  done
}

surfaces="$out/surfaces"
rm -rf "$surfaces"
mkdir -p "$surfaces"
# shown CAPTION FILE...: the first of them goes into the picture.
shown() { ln -s "$(realpath "$2")" "$surfaces/$1.h5"; }

table() {
  local data=$1 number=0 name label pattern files
  printf '\n| %s | log-likelihood, nats | at inverse temperature 1 | AUC | inverse temperature | seeds |\n| --- | --- | --- | --- | --- | --- |\n' "${data:-bits}"
  while IFS='|' read -r name label pattern; do
    mapfile -t files < <(of "$name" "$data" "$pattern")
    [[ ${#files[@]} -gt 0 ]] || continue
    number=$((number + 1))
    row "$label" "${files[@]}"
    [[ -z $data ]] || shown "$(printf '%s %02d %s' "$data" "$number" "$label")" "${files[0]}"
  done
}

planes='pca|pca|
kmeans|k-means|
gaussian_mixture|mixture by em|
ica|square ica|
rica|rica|
energy|contrastive divergence|objective = "cd"
energy|likelihood (pcd)|objective = "pcd"
energy|noise-contrastive|objective = "noise_contrastive"
energy|score matching|objective = "score_matching"
energy|sliced score|objective = "sliced_score_matching"
energy|denoising score|objective = "denoising_score_matching"
denoising_autoencoder|denoising ae|
regularised_autoencoder|contractive ae|contractive = 0.02
regularised_autoencoder|saturating ae|saturating = 0.02
regularised_autoencoder|sparse ae, L1|sparse = 0.01
regularised_autoencoder|sparse ae, KL|cost = 0.1
sparse_coding|sparse coding|
psd|psd|'
for data in spiral mixture pinwheel; do table "$data" <<< "$planes"; done
printf '\nbars and stripes of side 4, exact likelihoods (no model exceeds -3.4012 = -log 30):\n'
table "" <<< 'bits|likelihood (exact)|objective = "exact"
bits|contrastive divergence|objective = "cd"
bits|likelihood (pcd)|objective = "pcd"
bits|pseudo-likelihood|objective = "pseudo_likelihood"
bits|ratio matching|objective = "ratio_matching"
bits|minimum probability flow|objective = "minimum_probability_flow"
bits|noise-contrastive|objective = "noise_contrastive"'
"$basin" plot "$surfaces" energy_surface -o "$out/energies.png"
