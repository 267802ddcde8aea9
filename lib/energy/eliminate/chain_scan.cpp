#include "energy/eliminate/chain_scan.h"

#include <memory>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/turn.h"
#include "energy/marginal/conditional.h"
#include "energy/sample_ops.h"

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
std::vector<Value> inside(const Tensor& lengths, const Value& unary) {
  if (!lengths.defined()) return {};
  return unstack(length_mask(lengths, {unary.dim(0), unary.dim(1), 1}, 1, unary.placement()), 1);
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

Value total_of(const Value& last, Elimination how) {
  return how == Elimination::Sum ? log_sum_exp(last, 1) : max(last, 1);
}

/// [N, T, K] and [N, T - 1, K, K]: p(x_t) and p(x_t, x_t+1), zeros past the ends, weighted by a number a row
/// and summed to the scores' shapes. With b_T = 0, b_t,i = log sum_j exp(A_t,ij + u_t+1,j + b_t+1,j).
std::vector<Value> gradients(const ChainScores& scores, const std::vector<Value>& masks,
                             const std::vector<Value>& alpha, const Value& total, const Value& weight) {
  const Index rows = scores.unary.dim(0), steps = scores.unary.dim(1), states = scores.unary.dim(2);
  const std::vector<Value> at = unstack(scores.unary, 1);
  const Pairwise pairwise(scores.pairwise);
  std::vector<Value> beta(at.size());
  beta.back() = zeros_like(at.back());
  for (std::size_t t = at.size() - 1; t-- > 0;) {
    const Value ahead = reshape(at[t + 1] + beta[t + 1], {rows, 1, states});
    beta[t] = log_sum_exp(pairwise[t] + ahead, 2);
    if (!masks.empty()) beta[t] = masks[t + 1] * beta[t];
  }
  const auto weighted = [&](const Value& exponent, const std::vector<Value>& inside) {
    Shape shape(exponent.shape().size(), 1);
    shape[0] = rows;
    const Value below = exponent - reshape(total, shape), scale = reshape(weight, shape);
    if (inside.empty()) return exp(below) * scale;
    shape[1] = static_cast<Index>(inside.size());
    const Value mask = reshape(stack(inside, 1), shape);
    return exp(below * mask) * mask * scale;
  };
  const Value before = stack(alpha, 1), after = stack(beta, 1);
  const Value unary = weighted(before + after, masks);
  if (steps == 1) return {unary, zeros_like(scores.pairwise)};
  const Value joint = reshape(slice(before, 1, 0, steps - 1), {rows, steps - 1, states, 1}) +
                      scores.pairwise +
                      reshape(slice(scores.unary + after, 1, 1, steps), {rows, steps - 1, 1, states});
  const std::vector<Value> later(masks.empty() ? masks.end() : masks.begin() + 1, masks.end());
  return {unary, sum_to(weighted(joint, later), scores.pairwise.shape())};
}

}  // namespace

Value chain_total(const ChainScores& scores, const Tensor& lengths, Elimination how) {
  const std::vector<Value> masks = inside(lengths, scores.unary);
  if (how == Elimination::Minimum) return total_of(forward(scores, masks, how).back(), how);
  const std::vector<Value> alpha = forward({scores.unary.detached(), scores.pairwise.detached()}, masks, how);
  const auto turn = std::make_shared<Turn>();
  auto rule = [=](std::size_t index, const Value& gradient, const std::vector<Value>& at,
                  const Value& output) {
    if (at[0].tracked() || at[1].tracked()) {
      const Value total = total_of(forward({at[0], at[1]}, masks, how).back(), how);
      return grad(sum(total * gradient), {at[index]}, {.differentiable = true}).front();
    }
    if (turn->gradient.lock() != gradient.node()) {
      turn->gradients = gradients({at[0], at[1]}, masks, alpha, output, gradient);
      turn->gradient = gradient.node();
    }
    return turn->gradients[index];
  };
  return Value::result(total_of(alpha.back(), how).tensor(), {scores.unary, scores.pairwise},
                       std::move(rule));
}

Tensor sample_chain(const ChainScores& given, const Tensor& lengths, Key key, Index first) {
  const ChainScores scores{given.unary.detached(), given.pairwise.detached()};
  const Index rows = scores.unary.dim(0), states = scores.unary.dim(2);
  const std::vector<Value> masks = inside(lengths, scores.unary);
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
