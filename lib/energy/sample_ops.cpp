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

Value as_values(const Variable& variable, const Value& rows) {
  return reshape(rows, batched(variable, rows.dim(0)));
}

State without_memory(const FactorGraph& graph, const State& state) {
  return first_samples(graph, state, state.empty() ? 0 : state.batch());
}

State first_samples(const FactorGraph& graph, const State& state, Index count) {
  State first = state.like();
  Context context = state.context();
  for (Tensor* numbers : {&context.lengths, &context.ids}) {
    if (numbers->defined() && count < numbers->dim(0)) *numbers = numbers->rows(0, count);
  }
  first.in(context);
  for (const Variable& variable : graph.variables()) {
    if (!state.has(variable)) continue;
    const Tensor& tensor = state[variable].tensor();
    first.set(variable, count < tensor.dim(0) ? tensor.rows(0, count) : tensor);
  }
  return first;
}

Value replicated(const Value& x, Index count) {
  const Index rows = x.dim(0);
  if (count == 1) return x;
  Shape shape = x.shape();
  shape[0] = rows * count;
  const Index size = rows > 0 ? x.tensor().size() / rows : 0;
  return reshape(broadcast_to(reshape(x, {rows, 1, size}), {rows, count, size}), shape);
}

State replicated(const FactorGraph& graph, const State& state, Index count) {
  Context context = state.context();
  context.replicas *= count;
  for (Tensor* numbers : {&context.lengths, &context.ids}) {
    if (numbers->defined()) *numbers = replicated(*numbers, count).tensor();
  }
  State result = State().in(context);
  for (const Variable& variable : graph.variables()) {
    if (state.has(variable)) result.set(variable, replicated(state[variable], count));
  }
  return result;
}

}  // namespace basin
