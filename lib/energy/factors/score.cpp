#include "energy/factors/score.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "tensor/error.h"

namespace basin {

Score::Score(Variable y, std::shared_ptr<const Module> f, Variable x, ScoreOptions options)
    : y_(std::move(y)), module_(std::move(f)), x_(std::move(x)), options_(std::move(options)) {
  if (y_ == x_) {
    throw Error(fmt::format("[{}] expected two different variables, received {} twice; score one by another",
                            name(), x_.name));
  }
  expect_map(name(), module_, x_, y_, "scores");
}

Value Score::energy(const State& state) const {
  return -sum_per_sample(flatten(state[y_]) * flatten(module_->forward(state[x_], state.context())));
}

std::vector<Parameter> Score::parameters() const { return prefixed_parameters(*module_, options_.label); }

}  // namespace basin
