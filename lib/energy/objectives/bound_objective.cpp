#include "energy/objectives/bound_objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tensor/error.h"

namespace basin {

BoundObjective::BoundObjective(FactorGraph graph, std::shared_ptr<const Objective> objective,
                               const std::string& prefix, const std::vector<Parameter>& host)
    : graph_(std::move(graph)), objective_(std::move(objective)), host_count_(host.size()) {
  if (objective_ == nullptr) throw Error("[bound_objective] expected an objective, received none");
  std::vector<Parameter> bound = graph_.parameters();
  for (Parameter& own : objective_->parameters()) bound.push_back(std::move(own));
  for (const Parameter& parameter : bound) {
    // Handles of one parameter refer to one leaf.
    const auto shared = std::ranges::find_if(
        host, [&](const Parameter& other) { return &other.value() == &parameter.value(); });
    if (shared != host.end()) {
      where_.push_back(static_cast<std::size_t>(shared - host.begin()));
    } else {
      where_.push_back(host_count_ + own_.size());
      own_.push_back(parameter.prefixed(prefix));
    }
  }
  if (own_.size() == bound.size()) {
    throw Error(fmt::format(
        "[bound_objective] expected parameters of {} ({}) among those of the graph that it is a term of, "
        "received none",
        prefix, objective_->name()));
  }
}

std::vector<bool> BoundObjective::wanted_of(const std::vector<bool>& wants) const {
  std::vector<bool> asked;
  for (std::size_t p = 0; !wants.empty() && p < where_.size(); ++p) asked.push_back(wants.at(where_[p]));
  return asked;
}

void BoundObjective::require(const FactorGraph& host) const {
  if (host.parameters().size() != host_count_) {
    throw Error(
        fmt::format("[bound_objective] expected the graph that it was made for, of {} parameters, "
                    "received one of {}",
                    host_count_, host.parameters().size()));
  }
}

Evaluation BoundObjective::evaluate(const FactorGraph& host, const State& batch, Carry& carry, Key key,
                                    EvaluateOptions options) const {
  return evaluate_all(host, {&batch, 1}, carry, key, std::move(options));
}

Evaluation BoundObjective::evaluate_all(const FactorGraph& host, std::span<const State> batches, Carry& carry,
                                        Key key, EvaluateOptions options) const {
  require(host);
  options.wants = wanted_of(options.wants);
  Evaluation bound = objective_->evaluate_all(graph_, batches, carry, key, std::move(options));
  Evaluation all{.gradients = std::vector<Gradient>(host_count_ + own_.size()),
                 .metrics = std::move(bound.metrics)};
  for (std::size_t p = 0; p < bound.gradients.size(); ++p)
    all.gradients[where_[p]] = std::move(bound.gradients[p]);
  return all;
}

void BoundObjective::finish_step(const FactorGraph& host, const State& batch, Carry& carry, Key key,
                                 const std::vector<bool>& wants) const {
  finish_all(host, {&batch, 1}, carry, key, wants);
}

void BoundObjective::finish_all(const FactorGraph& host, std::span<const State> batches, Carry& carry,
                                Key key, const std::vector<bool>& wants) const {
  require(host);
  objective_->finish_all(graph_, batches, carry, key, wanted_of(wants));
}

}  // namespace basin
