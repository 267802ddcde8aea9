#include "training/measures/dictionary_measures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/conv_sparse_coding.h"
#include "results/gabor.h"
#include "tensor/error.h"
#include "training/dictionary.h"

namespace basin {
namespace {

/// The atoms of a stage as pictures.
Picturable pictures(const StageView& view, const char* who) {
  const auto& dictionary = need<Dictionary>(view.stage, who);
  const Picturable atoms = atoms_of(dictionary, view.preprocessing());
  if (atoms.pixels.size() != 2) {
    throw Error(
        fmt::format("[evaluate] expected samples that are pictures, received samples {}; set "
                    "evaluate.gabor and evaluate.coherence = false",
                    to_string(atoms.pixels)));
  }
  return atoms;
}

std::string evaluate_gabor(const StageView& view, Store& store) {
  constexpr double kGood = 0.8;  // share of an atom's variance that a Gabor function should explain
  const Picturable atoms = pictures(view, "gabor");
  const std::vector<Gabor> fits = fit_gabors(atoms.rows, atoms.pixels[0], atoms.pixels[1]);
  const double share = share_explained(fits, kGood);
  std::vector<double> explained;
  for (const Gabor& fit : fits) explained.push_back(fit.explained);
  put_result(store, {"gabor/explained", "1", Better::Up}, explained);
  put_result(store, {"gabor/share", "1", Better::Up}, share);
  const auto middle = explained.begin() + static_cast<std::ptrdiff_t>(explained.size() / 2);
  std::nth_element(explained.begin(), middle, explained.end());
  return fmt::format(
      "gabor        {:.1f} % of the atoms have at least {:.0f} % of their variance explained by a Gabor "
      "fit (median {:.3f})\n",
      100.0 * share, 100.0 * kGood, *middle);
}

double coherence(const StageView& view) {
  const auto& dictionary = need<Dictionary>(view.stage, "coherence");
  if (!dictionary.of_samples) return mean_best_correlation(dictionary.atoms());  // all channels
  const Picturable atoms = pictures(view, "coherence");
  return mean_best_correlation(atoms.rows.reshaped({atoms.rows.dim(0), atoms.pixels[0], atoms.pixels[1]}));
}

Monitor monitor_coherence(const StageView& view) {
  return [&view] { return std::map<std::string, double>{{"coherence", coherence(view)}}; };
}

std::string evaluate_coherence(const StageView& view, Store& store) {
  const double value = coherence(view);
  put_result(store, {"coherence"}, value);
  return fmt::format(
      "coherence    {:.3f}: mean best correlation of an atom with another one, over all shifts\n", value);
}

}  // namespace

Measure gabor_measure() {
  return {.name = "gabor", .metrics = {}, .results = {"gabor/share"}, .evaluate = evaluate_gabor};
}

Measure coherence_measure() {
  return {.name = "coherence",
          .metrics = {{"coherence"}},
          .results = {"coherence"},
          .monitor = monitor_coherence,
          .evaluate = evaluate_coherence};
}

}  // namespace basin
