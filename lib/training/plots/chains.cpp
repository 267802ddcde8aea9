#include "training/measures/chains.h"

#include <fmt/format.h>

#include <algorithm>

#include "training/plots/plot.h"

namespace basin {
namespace {

constexpr std::size_t kShown = 4;  // chains

/// "BlockGibbs({h}, {v}): split R-hat 1.003, 812 effective draws".
std::string caption(const Store& store) {
  return fmt::format("{}: split R-hat {:.3f}, {:.0f} effective draws",
                     store.text("/evaluation/chains/transition"), store.number("/evaluation/chains_r_hat"),
                     store.number("/evaluation/chains_effective_samples"));
}

void require_chains(const Store& store, const char* who) {
  if (store.has("/evaluation/chains/energy")) return;
  throw NothingToDraw(fmt::format("[{}] expected chains that were looked over, received a run without", who));
}

}  // namespace

void check_chains(const Stage& stage) { need<ChainsRun>(stage, "chains"); }

/// The energy of a few chains, draw after draw.
void draw_chains(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  require_chains(store, "chains");
  const Tensor energy = store.tensor("/evaluation/chains/energy");
  const std::vector<double> numbers = energy.values();
  const auto draws = static_cast<std::size_t>(energy.shape()[0]),
             chains = static_cast<std::size_t>(energy.shape()[1]);
  std::vector<Curve> curves;
  for (std::size_t chain = 0; chain < std::min(chains, kShown); ++chain) {
    Curve curve{.label = fmt::format("chain {}", chain + 1), .x = {}, .y = {}};
    for (std::size_t draw = 0; draw < draws; ++draw) {
      curve.x.push_back(static_cast<double>(draw + 1));
      curve.y.push_back(numbers[draw * chains + chain]);
    }
    curves.push_back(std::move(curve));
  }
  save_plot(curves, {.title = caption(store), .x_label = "draw", .y_label = "energy"}, drawing.path);
}

/// How much an energy says of those after it.
void draw_autocorrelation(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  require_chains(store, "autocorrelation");
  Curve curve{.label = "energy", .x = {}, .y = store.numbers("/evaluation/chains/autocorrelation")};
  for (std::size_t lag = 0; lag < curve.y.size(); ++lag) curve.x.push_back(static_cast<double>(lag));
  save_plot({curve}, {.title = caption(store), .x_label = "lag (draws)", .y_label = "autocorrelation"},
            drawing.path);
}

}  // namespace basin
