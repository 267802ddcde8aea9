#include "energy/sample_ops.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/indexed.h"
#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

Value per_sample(const Value& numbers, const Value& x) {
  Shape shape(x.shape().size(), 1);
  shape.front() = numbers.dim(0);
  return reshape(numbers, shape);
}

Value dot_per_sample(const Value& a, const Value& b) { return sum_per_sample(a * b); }

Value choose(const Value& take, const Value& yes, const Value& no) {
  const Index rows = yes.dim(0), size = rows > 0 ? yes.tensor().size() / rows : 0;
  const Value both = concat({reshape(no, {rows, 1, size}), reshape(yes, {rows, 1, size})}, 1);
  const Indexing at{.outer = rows, .middle = 2, .inner = size, .whole = both.shape(), .chosen = yes.shape()};
  return gathered(both, take.tensor(), at);
}

Value as_values(const Variable& variable, const Value& rows) {
  return reshape(rows, batched(variable, rows.dim(0)));
}

Value identity(Index n, Placement placement) {
  // Rows of [1, 0, ..., 0], one number longer than the matrix is wide, shift by one a row.
  const Value rows = concat({Tensor::full({n, 1}, 1.0, placement), Tensor::zeros({n, n}, placement)}, 1);
  return reshape(slice(reshape(rows, {n * (n + 1)}), 0, 0, n * n), {n, n});
}

State without_memory(const FactorGraph& graph, const State& state) {
  return first_samples(graph, state, state.empty() ? 0 : state.batch());
}

State rows_of(const FactorGraph& graph, const State& state, Index begin, Index end) {
  const auto part = [&](const Tensor& all) {
    return begin == 0 && end == all.dim(0) ? all : all.rows(begin, end);
  };
  Context context = state.context();
  context.first_row += begin / context.replicas;
  for (Tensor* numbers : {&context.lengths, &context.ids}) {
    if (numbers->defined()) *numbers = part(*numbers);
  }
  State rows = State().in(context);
  for (const Variable& variable : graph.variables()) {
    if (state.has(variable)) rows.set(variable, part(state[variable].tensor()));
  }
  return rows;
}

State first_samples(const FactorGraph& graph, const State& state, Index count) {
  return rows_of(graph, state, 0, state.empty() ? 0 : std::min(count, state.batch()));
}

Variable resolved(const FactorGraph& graph, const Variable& variable, const State& state, Index otherwise) {
  if (!variable.is_free()) return variable;
  for (const Variable& other : graph.variables()) {
    if (!other.is_free() || !state.has(other)) continue;
    const auto axis = std::find(other.shape.begin(), other.shape.end(), Index{0}) - other.shape.begin();
    return variable.with_extent(state[other].dim(axis + 1));
  }
  if (otherwise > 0) return variable.with_extent(otherwise);
  throw Error("[state] expected values of a sequence from which to know how long " + variable.name +
              " is, received none; set what it goes with");
}

Block resolved(const FactorGraph& graph, const Block& block, const State& state) {
  Block fixed;
  for (const Variable& variable : block) fixed.push_back(resolved(graph, variable, state));
  return fixed;
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
