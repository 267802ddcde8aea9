#include "energy/factors/sequences/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

void require_sequence(const Variable& x) {
  if (x.domain == Domain::Categorical && x.shape.size() == 2) return;
  throw Error(
      fmt::format("[Chain] expected a categorical variable of shape [T, K], received {}, which is {} {}",
                  x.name, to_string(x.domain), to_string(x.shape)));
}

Parameter zeros(const Variable& x, const char* label, Shape shape) {
  return {x.name + "." + label, Tensor::zeros(std::move(shape))};
}

}  // namespace

Chain::Chain(Variable x) : variable_(std::move(x)) {
  require_sequence(variable_);
  const Index states = variable_.shape[1];
  if (variable_.is_free())
    throw Error(fmt::format(
        "[Chain] expected a length of {} beside scores that are parameters, received a free one; give "
        "a module and its source",
        variable_.name));
  unary_.emplace(zeros(variable_, "unary", variable_.shape));
  pairwise_.emplace(zeros(variable_, "pairwise", {states, states}));
}

Chain::Chain(Variable x, std::shared_ptr<const Module> unary, Variable source, ChainOptions options)
    : variable_(std::move(x)),
      source_(std::move(source)),
      unary_module_(std::move(unary)),
      pairwise_module_(std::move(options.pairwise)) {
  require_sequence(variable_);
  constexpr Index kAnyLength = 3;  // to try free extents by
  const Variable x3 = variable_.with_extent(kAnyLength), s3 = source_->with_extent(kAnyLength);
  const Index steps = x3.shape[0] - 1, states = variable_.shape[1];
  if (*source_ == variable_)
    throw Error(fmt::format("[Chain] expected a source other than {}, received it twice", variable_.name));
  expect_map(name(), unary_module_, s3, x3, "scores");
  if (pairwise_module_) {
    expect_map(name(), pairwise_module_, s3, {variable_.name, Domain::Real, {steps, states, states}, 0},
               "scores");
  } else {
    pairwise_.emplace(zeros(variable_, "pairwise", {states, states}));
  }
}

std::string Chain::name() const {
  return "Chain(" + variable_.name + (source_ ? ", " + source_->name : "") + ")";
}

std::vector<Variable> Chain::scope() const {
  return source_ ? std::vector<Variable>{variable_, *source_} : std::vector<Variable>{variable_};
}

Order Chain::order_in(const Variable& variable) const {
  if (variable == variable_) return Order::Chain;
  return unary_module_->is_affine() && (!pairwise_module_ || pairwise_module_->is_affine()) ? Order::Affine
                                                                                            : Order::Any;
}

ChainScores Chain::chain_scores(const Variable& /*variable*/, const State& rest) const {
  const Index rows = rest.empty() ? 1 : rest.batch(), states = variable_.shape[1];
  if (source_ && rest.has(*source_)) {
    const Shape& given = rest[*source_].shape();
    if (std::find(given.begin() + 1, given.end(), Index{0}) != given.end())
      throw Error(
          fmt::format("[{}] expected sequences of at least one step, received {} of shape {}; leave "
                      "empty ones out",
                      name(), source_->name, to_string(given)));
  }
  ChainScores scores;
  if (unary_) {
    scores.unary = broadcast_to(unary_->value(), batched(variable_, rows));
  } else {
    scores.unary =
        reshape(unary_module_->forward(rest[*source_], rest.context().fold("unary")), {rows, -1, states});
  }
  if (pairwise_) {
    scores.pairwise = pairwise_->value();
  } else {
    scores.pairwise = reshape(pairwise_module_->forward(rest[*source_], rest.context().fold("pairwise")),
                              {rows, -1, states, states});
  }
  return scores;
}

Value Chain::energy(const State& state) const {
  const ChainScores scores = chain_scores(variable_, state);
  const Value& x = state[variable_];
  const Index rows = x.dim(0), steps = x.dim(1) - 1, states = variable_.shape[1];
  Value inside;  // [N, T, 1]
  if (state.context().lengths.defined())
    inside = length_mask(state.context().lengths, {rows, steps + 1, 1}, 1, x.placement());
  Value unary = scores.unary * x;
  if (inside.defined()) unary = unary * inside;
  Value energy = -sum_per_sample(unary);
  if (steps == 0) return energy;
  const Value from = slice(x, 1, 0, steps), to = slice(x, 1, 1, steps + 1);
  Value reached = scores.pairwise.rank() == 2
                      ? matmul(from, scores.pairwise)
                      : sum(scores.pairwise * reshape(from, {rows, steps, states, 1}), {2});
  if (inside.defined()) reached = reached * slice(inside, 1, 1, steps + 1);
  return energy - sum_per_sample(reached * to);
}

std::vector<Parameter> Chain::parameters() const {
  std::vector<Parameter> all;
  const auto add = [&](const std::shared_ptr<const Module>& module, const std::string& prefix) {
    if (!module) return;
    for (Parameter& parameter : prefixed_parameters(*module, prefix)) all.push_back(std::move(parameter));
  };
  if (unary_) all.push_back(*unary_);
  if (source_) add(unary_module_, source_->name + "." + variable_.name);
  if (pairwise_) all.push_back(*pairwise_);
  if (source_) add(pairwise_module_, source_->name + "." + variable_.name + ".pairwise");
  return all;
}

}  // namespace basin
