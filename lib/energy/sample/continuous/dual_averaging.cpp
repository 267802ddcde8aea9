#include "energy/sample/continuous/dual_averaging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kRegularisation = 0.05;  // gamma
constexpr double kDelay = 10.0;           // t_0
constexpr double kForgetting = 0.75;      // kappa

}  // namespace

StepSize::StepSize(const char* who, std::string name, double first, TuneOptions options)
    : name_(std::move(name)), first_(first), options_(options) {
  if (!(first_ > 0.0 && std::isfinite(first_)) || options_.moves < 0 ||
      !(options_.target > 0.0 && options_.target < 1.0)) {
    throw Error(fmt::format(
        "[{}] expected a finite step > 0, tune.moves >= 0 and 0 < tune.target < 1, received {}, {} and {}",
        who, first_, options_.moves, options_.target));
  }
}

/// Zeros for chains that have not begun.
Value StepSize::recalled(const State& state, const char* what) const {
  const Value held = state.recall(name_ + what);
  return held.defined() ? held.detached() : Value(Tensor::zeros({state.batch()}, state.placement()));
}

Value StepSize::of(const State& state) const {
  const Value first = Tensor::full({state.batch()}, std::log(first_), state.placement());
  if (options_.moves == 0) return exp(first);
  const Value moves = recalled(state, ".moves");
  const Value tuned = step(moves + (0.5 - static_cast<double>(options_.moves)));
  const Value tuning = choose(step(moves), recalled(state, ".log_step"), first);
  return exp(choose(tuned, recalled(state, ".mean_log_step"), tuning));
}

void StepSize::update(State& state, const Value& acceptance) const {
  if (options_.moves == 0) return;
  const Value moves = recalled(state, ".moves"), mean = recalled(state, ".mean_log_step");
  const Value tunes = step((static_cast<double>(options_.moves) - 0.5) - moves);
  const Value m = moves + 1.0, share = reciprocal(m + kDelay), weight = exp(-kForgetting * log(m));
  const Value error = (1.0 - share) * recalled(state, ".error") + share * (options_.target - acceptance);
  const Value log_step = std::log(10.0 * first_) - sqrt(m) * error / kRegularisation;
  state.remember(name_ + ".moves", moves + tunes);
  state.remember(name_ + ".error", error);
  state.remember(name_ + ".log_step", log_step);
  state.remember(name_ + ".mean_log_step", choose(tunes, weight * log_step + (1.0 - weight) * mean, mean));
}

Index StepSize::left(const State& state) const {
  const Value moves = state.recall(name_ + ".moves");
  if (!moves.defined() || options_.moves == 0) return options_.moves;
  const std::vector<double> done = moves.tensor().values();
  return options_.moves - static_cast<Index>(*std::min_element(done.begin(), done.end()));
}

}  // namespace basin
