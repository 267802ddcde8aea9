#include "energy/eliminate/chain_scan.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// A_t of one scan: [K, K] everywhere or [N, K, K] each.
class Pairwise {
 public:
  explicit Pairwise(const Value& pairwise)
      : tables_(pairwise.rank() == 2 ? std::vector<Value>{pairwise} : unstack(pairwise, 1)) {}
  const Value& operator[](std::size_t t) const { return tables_[tables_.size() == 1 ? 0 : t]; }

 private:
  std::vector<Value> tables_;
};

/// 1 where position t is part of a sequence, [N, 1] each; none where all are.
std::vector<Value> inside(const Tensor& lengths, Index positions, Index rows, Placement placement) {
  std::vector<Value> masks;
  if (!lengths.defined()) return masks;
  const std::vector<double> each = lengths.values();
  for (const double length : each) {
    if (!(length >= 1.0 && length <= static_cast<double>(positions) && length == std::floor(length)) ||
        static_cast<Index>(each.size()) != rows)
      throw Error(fmt::format(
          "[chain] expected whole lengths of {} sequences from 1 to {}, received {} of them and {}", rows,
          positions, each.size(), length));
  }
  for (Index t = 0; t < positions; ++t) {
    std::vector<double> mask;
    for (const double length : each) mask.push_back(static_cast<double>(t) < length ? 1.0 : 0.0);
    masks.push_back(Tensor::from(mask, {rows, 1}, placement));
  }
  return masks;
}

/// a_t, [N, K] each; past a sequence's end that of its end.
std::vector<Value> forward(const ChainScores& scores, const std::vector<Value>& masks, Elimination how) {
  const Index rows = scores.unary.dim(0), states = scores.unary.dim(2);
  const std::vector<Value> at = unstack(scores.unary, 1);
  const Pairwise pairwise(scores.pairwise);
  std::vector<Value> alpha{at.front()};
  for (std::size_t t = 1; t < at.size(); ++t) {
    const Value& before = alpha.back();
    const Value paths = reshape(before, {rows, states, 1}) + pairwise[t - 1];
    const Value reached = at[t] + (how == Elimination::Sum ? log_sum_exp(paths, 1) : max(paths, 1));
    alpha.push_back(masks.empty() ? reached : masks[t] * reached + (1.0 - masks[t]) * before);
  }
  return alpha;
}

}  // namespace

Value chain_total(const ChainScores& scores, const Tensor& lengths, Elimination how) {
  const std::vector<Value> masks =
      inside(lengths, scores.unary.dim(1), scores.unary.dim(0), scores.unary.placement());
  const Value last = forward(scores, masks, how).back();
  return how == Elimination::Sum ? log_sum_exp(last, 1) : max(last, 1);
}

Tensor sample_chain(const ChainScores& given, const Tensor& lengths, Key key, Index first) {
  const ChainScores scores{given.unary.detached(), given.pairwise.detached()};
  const Index rows = scores.unary.dim(0), positions = scores.unary.dim(1), states = scores.unary.dim(2);
  const std::vector<Value> masks = inside(lengths, positions, rows, scores.unary.placement());
  const std::vector<Value> alpha = forward(scores, masks, Elimination::Sum);
  const Pairwise pairwise(scores.pairwise);
  const Variable position{"x", Domain::Categorical, {states}, 0};
  std::vector<Value> drawn(alpha.size());
  Value next;  // zeros past the end, so that the end has no successor
  for (std::size_t t = alpha.size(); t-- > 0;) {
    Value input = alpha[t];
    if (next.defined()) {
      const Value& table = pairwise[t];
      input = input + (table.rank() == 2 ? matmul(next, table, {.transpose_b = true})
                                         : sum(table * reshape(next, {rows, 1, states}), {2}));
    }
    const Conditional conditional{position, input, {}, first};
    next = conditional.sample(key.fold(static_cast<std::uint64_t>(t)));
    if (!masks.empty()) next = next * masks[t];
    drawn[t] = next;
  }
  return stack(drawn, 1).tensor();
}

}  // namespace basin
