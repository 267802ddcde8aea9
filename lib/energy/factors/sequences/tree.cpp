#include "energy/factors/sequences/tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/tables.h"
#include "tensor/error.h"

namespace basin {
namespace {

void require_tree(const Variable& x, const std::vector<Index>& parents) {
  if (x.domain != Domain::Categorical || x.shape.size() != 2 || x.is_free())
    throw Error(
        fmt::format("[Tree] expected a categorical variable of shape [T, K], received {}, which is {} {}",
                    x.name, to_string(x.domain), to_string(x.shape)));
  const Index nodes = x.shape[0];
  const bool fits = static_cast<Index>(parents.size()) == nodes &&
                    std::all_of(parents.begin(), parents.end(), [&](Index p) { return p < nodes; });
  if (!fits)
    throw Error(fmt::format(
        "[Tree] expected the parent of each of the {} positions of {}, a position or -1, received [{}]",
        nodes, x.name, fmt::join(parents, ", ")));
  for (Index t = 0; t < nodes; ++t) {
    Index up = t;
    for (Index steps = 0; up >= 0; ++steps, up = parents[static_cast<std::size_t>(up)]) {
      if (steps <= nodes) continue;
      throw Error(fmt::format("[Tree] expected parents without a cycle, received [{}], in which {} has one",
                              fmt::join(parents, ", "), t));
    }
  }
}

/// A tree of codes, an axis of tables for each position.
class TreeOfCodes final : public Structure {
 public:
  /// `links`: the tables of parents and children.
  TreeOfCodes(Value unary, std::vector<Table> links) : unary_(std::move(unary)), links_(std::move(links)) {}

  Value log_sum(const std::vector<Value>& drives) const override { return driven(drives).log_sum(); }
  Value maximum(const std::vector<Value>& drives) const override { return driven(drives).maximum(); }
  std::vector<Value> sample(const std::vector<Value>& drives, Key key, Index first) const override {
    return {stack(driven(drives).sample(key, first), 1)};
  }

 private:
  TableSum driven(const std::vector<Value>& drives) const {
    std::vector<Table> tables = links_;
    const std::vector<Value> own = unstack(unary_ + drives.front(), 1);
    for (std::size_t t = 0; t < own.size(); ++t) tables.push_back({{t}, own[t]});
    return {own.front().dim(0), std::vector<Index>(own.size(), unary_.dim(2)), std::move(tables)};
  }

  Value unary_;
  std::vector<Table> links_;
};

}  // namespace

Tree::Tree(Variable x, std::vector<Index> parents) : variable_(std::move(x)), parents_(std::move(parents)) {
  require_tree(variable_, parents_);
  const Index states = variable_.shape[1];
  unary_.emplace(variable_.name + ".unary", Tensor::zeros(variable_.shape));
  pairwise_.emplace(variable_.name + ".pairwise", Tensor::zeros({states, states}));
}

Tree::Tree(Variable x, std::vector<Index> parents, std::shared_ptr<const Module> unary, Variable source,
           TreeOptions options)
    : variable_(std::move(x)),
      parents_(std::move(parents)),
      source_(std::move(source)),
      unary_module_(std::move(unary)),
      pairwise_module_(std::move(options.pairwise)) {
  require_tree(variable_, parents_);
  const Index nodes = variable_.shape[0], states = variable_.shape[1];
  if (*source_ == variable_)
    throw Error(fmt::format("[Tree] expected a source other than {}, received it twice", variable_.name));
  expect_map(name(), unary_module_, *source_, variable_, "scores");
  if (pairwise_module_) {
    expect_map(name(), pairwise_module_, *source_, {variable_.name, Domain::Real, {nodes, states, states}, 0},
               "scores");
  } else {
    pairwise_.emplace(variable_.name + ".pairwise", Tensor::zeros({states, states}));
  }
}

std::string Tree::name() const {
  return "Tree(" + variable_.name + (source_ ? ", " + source_->name : "") + ")";
}

std::vector<Variable> Tree::scope() const {
  return source_ ? std::vector<Variable>{variable_, *source_} : std::vector<Variable>{variable_};
}

Order Tree::order_in(const Variable& variable) const {
  if (variable == variable_) return Order::Joint;
  return unary_module_->is_affine() && (!pairwise_module_ || pairwise_module_->is_affine()) ? Order::Affine
                                                                                            : Order::Any;
}

ChainScores Tree::scores(const State& rest) const {
  const Index rows = rest.empty() ? 1 : rest.batch(), states = variable_.shape[1];
  ChainScores scores;
  scores.unary = unary_ ? broadcast_to(unary_->value(), batched(variable_, rows))
                        : reshape(unary_module_->forward(rest[*source_], rest.context().fold("unary")),
                                  batched(variable_, rows));
  scores.pairwise = pairwise_
                        ? reshape(pairwise_->value(), {1, 1, states, states})
                        : reshape(pairwise_module_->forward(rest[*source_], rest.context().fold("pairwise")),
                                  {rows, variable_.shape[0], states, states});
  return scores;
}

Value Tree::energy(const State& state) const {
  const Value& x = state[variable_];
  const ChainScores given = scores(state);
  Value energy = -sum_per_sample(given.unary * x);
  const std::vector<Value> codes = unstack(x, 1), tables = unstack(given.pairwise, 1);
  for (std::size_t t = 0; t < parents_.size(); ++t) {
    if (parents_[t] < 0) continue;
    const Value from = reshape(codes[static_cast<std::size_t>(parents_[t])], {x.dim(0), -1, 1});
    energy = energy - sum_per_sample(sum(tables[tables.size() == 1 ? 0 : t] * from, {1}) * codes[t]);
  }
  return energy;
}

std::shared_ptr<const Structure> Tree::structure(const Block& /*latents*/, const State& rest,
                                                 double weight) const {
  const ChainScores given = scores(rest);
  const std::vector<Value> tables = unstack(weight * given.pairwise, 1);
  std::vector<Table> links;
  for (std::size_t t = 0; t < parents_.size(); ++t) {
    if (parents_[t] < 0) continue;
    const auto parent = static_cast<std::size_t>(parents_[t]);
    const Value& table = tables[tables.size() == 1 ? 0 : t];
    if (parent < t) {
      links.push_back({{parent, t}, table});
    } else {
      links.push_back({{t, parent}, transpose(table, {0, 2, 1})});
    }
  }
  return std::make_shared<const TreeOfCodes>(weight * given.unary, std::move(links));
}

std::vector<Parameter> Tree::parameters() const {
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
