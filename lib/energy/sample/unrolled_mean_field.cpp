#include "energy/sample/unrolled_mean_field.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {

UnrolledMeanField::UnrolledMeanField(FactorGraph graph, Variable from, Variable to, MeanField mean_field)
    : graph_(std::move(graph)),
      from_(std::move(from)),
      to_(std::move(to)),
      mean_field_(std::move(mean_field)) {
  const Block& units = mean_field_.units();
  if (!graph_.has(from_) || !graph_.has(to_) || contains(units, from_) || !contains(units, to_)) {
    throw Error(fmt::format(
        "[UnrolledMeanField] expected values of a variable of the graph that {} holds, and means of one that "
        "it moves, received {} and {}",
        mean_field_.name(), from_.name, to_.name));
  }
}

Value UnrolledMeanField::forward(const Value& x, const Context& context) const {
  State state;
  state.in(context).set(from_, as_values(from_, x));
  state = mean_field_.started(graph_, state);
  for (Index k = 0; k < mean_field_.options().iterations; ++k)
    state = mean_field_.updated(graph_, std::move(state), MeanField::History::Kept);
  return state[to_];
}

}  // namespace basin
