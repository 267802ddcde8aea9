#include "energy/sample_ops.h"

#include <algorithm>

#include "autograd/ops.h"

namespace basin {

Value per_sample(const Value& numbers, const Value& x) {
  Shape shape(x.shape().size(), 1);
  shape.front() = numbers.dim(0);
  return reshape(numbers, shape);
}

Value dot_per_sample(const Value& a, const Value& b) { return sum_per_sample(a * b); }

State without_memory(const FactorGraph& graph, const State& state) {
  return first_samples(graph, state, state.empty() ? 0 : state.batch());
}

State first_samples(const FactorGraph& graph, const State& state, Index count) {
  State first = state.like();
  for (const Variable& variable : graph.variables()) {
    if (!state.has(variable)) continue;
    const Tensor& tensor = state[variable].tensor();
    first.set(variable, count < tensor.dim(0) ? tensor.rows(0, count) : tensor);
  }
  return first;
}

}  // namespace basin
