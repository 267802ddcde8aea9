#include "modules/sequences/steps.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "modules/lengths.h"
#include "tensor/error.h"

namespace basin {
namespace {

void check(const char* who, const Value& x) {
  if (x.rank() == 3 && x.dim(1) > 0) return;
  throw Error(fmt::format("[{}] expected sequences [N, T, features] of at least one step, received {}", who,
                          to_string(x.shape())));
}

/// sum_t weight[n, t] x[n, t]; weights of [N, T].
Value weighted_sum(const Value& x, const std::vector<double>& weights) {
  return sum(x * Value(Tensor::from(weights, {x.dim(0), x.dim(1), 1}, x.placement())), {1});
}

Value at_step(const Value& x, Index t) { return reshape(slice(x, 1, t, t + 1), {x.dim(0), x.dim(2)}); }

}  // namespace

Value LastStep::forward(const Value& x, const Context& context) const {
  check("last_step", x);
  const Index steps = x.dim(1), kept = x.dim(2) - options_.from_start;
  if (kept < 0) {
    throw Error(fmt::format("[last_step] expected at least {} features, received {}", options_.from_start,
                            to_string(x.shape())));
  }
  const std::vector<Index> lengths = lengths_of(context, x.dim(0), steps);
  const Value forward = options_.from_start == 0 ? x : slice(x, 2, 0, kept);
  Value last;
  if (lengths.empty()) {
    last = at_step(forward, steps - 1);
  } else {
    std::vector<double> ends;
    for (const Index length : lengths) {
      for (Index t = 0; t < steps; ++t) ends.push_back(t + 1 == length ? 1.0 : 0.0);
    }
    last = weighted_sum(forward, ends);
  }
  return options_.from_start == 0 ? last : concat({last, at_step(slice(x, 2, kept, x.dim(2)), 0)}, 1);
}

Value MeanStep::forward(const Value& x, const Context& context) const {
  check("mean_step", x);
  const std::vector<Index> lengths = lengths_of(context, x.dim(0), x.dim(1));
  if (lengths.empty()) return mean(x, {1});
  std::vector<double> shares;
  for (const Index length : lengths) {
    for (Index t = 0; t < x.dim(1); ++t)
      shares.push_back(t < length ? 1.0 / static_cast<double>(length) : 0.0);
  }
  return weighted_sum(x, shares);
}

}  // namespace basin
