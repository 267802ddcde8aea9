#include "energy/factors/sequences/step_score.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/transition.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// All targets side by side, as what a module's output is compared with.
Variable joined(const Block& targets, const Variable& x) {
  const bool fit =
      !targets.empty() && !contains(targets, x) && std::ranges::all_of(targets, [&](const Variable& y) {
        return y.shape.size() == 2 && y.shape[0] == targets[0].shape[0] && y.shape[1] > 0;
      });
  if (!fit) {
    throw Error(
        fmt::format("[StepScore] expected variables [steps, units] of as many steps, another than {}, "
                    "received {}; give all the same first extent",
                    x.name, to_string(targets)));
  }
  Variable all{.name = to_string(targets), .domain = Domain::Real, .shape = {targets[0].shape[0], 0}};
  for (const Variable& y : targets) all.shape[1] += y.shape[1];
  return all;
}

}  // namespace

StepScore::StepScore(Block targets, std::shared_ptr<const Module> f, Variable x, StepScoreOptions options)
    : targets_(std::move(targets)), module_(std::move(f)), x_(std::move(x)), options_(std::move(options)) {
  const Variable all = joined(targets_, x_);
  if (options_.delay < 0)
    throw Error(fmt::format("[{}] expected a delay of at least 0, received {}", name(), options_.delay));
  expect_map(name(), module_, x_, all, "scores");
}

std::string StepScore::name() const { return "StepScore(" + to_string(targets_) + ", " + x_.name + ")"; }

std::vector<Variable> StepScore::scope() const {
  Block all = targets_;
  all.push_back(x_);
  return all;
}

Value StepScore::scores(const State& state) const {
  const Value& x = state[x_];
  return reshape(module_->forward(delayed(x, options_.delay), state.context()), {x.dim(0), x.dim(1), -1});
}

Value StepScore::energy(const State& state) const {
  const Value f = scores(state);
  Value total;
  Index begin = 0;
  for (const Variable& y : targets_) {
    const Value part = sum_per_sample(state[y] * slice(f, 2, begin, begin + y.shape[1]));
    total = total.defined() ? total + part : part;
    begin += y.shape[1];
  }
  return -total;
}

std::vector<Parameter> StepScore::parameters() const { return prefixed_parameters(*module_, options_.label); }

}  // namespace basin
