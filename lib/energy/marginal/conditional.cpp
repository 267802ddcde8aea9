#include "energy/marginal/conditional.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/ops.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/sample_ops.h"
#include "tensor/backend.h"

namespace basin {
namespace {

/// E[x] / sigma for x ~ Normal(a sigma, sigma^2) truncated to [0, inf): a + phi(a) / Phi(a).
Value truncated_mean(const Value& a) {
  // The two terms cancel far in the negative tail. There, with x = -a, Laplace's continued fraction of Mills'
  // ratio gives the difference itself: 1 / (x + 2 / (x + 3 / (x + ...))). Each side is evaluated at arguments
  // clamped to its own range, so that neither overflows where the other is used.
  constexpr double kSplit = 4.0;
  constexpr int kDepth = 30;
  const Value x = relu(-a - kSplit) + kSplit;
  Value tail = x;
  for (int k = kDepth; k >= 2; --k) {
    tail = x + static_cast<double>(k) / tail;
  }
  const Value inner = relu(a + kSplit) - kSplit;
  const double log_sqrt_two_pi = 0.5 * std::log(2.0 * std::numbers::pi);
  const Value direct = inner + exp(-0.5 * square(inner) - log_sqrt_two_pi - log_ndtr(inner));
  const Value in_tail = step(-a - kSplit);
  return in_tail * reciprocal(tail) + (1.0 - in_tail) * direct;
}

}  // namespace

Unit unit_of(Domain domain) {
  switch (domain) {
    case Domain::Real:
      return Unit::Gaussian;
    case Domain::NonNegative:
      return Unit::NonNegative;
    case Domain::Binary:
      return Unit::Binary;
    case Domain::Categorical:
      break;
  }
  return Unit::Categorical;
}

Value Conditional::mean() const {
  switch (variable.domain) {
    case Domain::Binary:
      return sigmoid(input);
    case Domain::Categorical:
      return softmax(input);
    case Domain::Real:
      return input;
    case Domain::NonNegative:
      break;
  }
  const Value root = sqrt(precision);
  return truncated_mean(input * root) / root;
}

Tensor Conditional::sample(Key key) const {
  // The kernel takes one precision a column. Here it may differ between samples, so that the batch is laid
  // out as one row; draw n * units + j keeps its number in both layouts.
  const bool one_row = precision.defined();
  const Tensor total = one_row ? (input.detached() * precision.detached()).tensor() : input.tensor();
  const Index rows = one_row ? 1 : total.dim(0);
  const Index units = one_row ? total.size() : variable.size();
  const Tensor bias = Tensor::zeros({units}, total.placement());
  Tensor drawn(total.shape(), total.placement());
  if (drawn.size() > 0) {
    UnitCall call;
    call.dtype = total.dtype();
    call.unit = unit_of(variable.domain);
    call.rows = rows;
    call.units = units;
    call.group = variable.domain == Domain::Categorical ? variable.shape.back() : 1;
    call.input = total.data();
    call.bias = bias.data();
    call.precision = one_row ? precision.tensor().data() : nullptr;
    call.key = key.fold(variable.name).bits();
    call.first_draw = static_cast<std::uint64_t>(first_row * variable.size());
    call.sample = drawn.data();
    backend(total.device()).units(call);
  }
  return drawn;
}

std::vector<Conditional> conditional(const FactorGraph& graph, const Block& block, const State& state,
                                     ConditionalOptions options) {
  require_no_interaction(graph, block, state);
  Expansion expansion =
      expand(graph, block, state, {.whole = false, .differentiable = options.differentiable});
  std::vector<Conditional> result;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const Value& curvature = expansion.curvature[i];
    Value input = curvature.defined() ? expansion.drive[i] / curvature : std::move(expansion.drive[i]);
    result.push_back(
        {resolved(graph, block[i], state), std::move(input), curvature, state.context().own_row()});
  }
  return result;
}

}  // namespace basin
