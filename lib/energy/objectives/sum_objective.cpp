#include "energy/objectives/sum_objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The part of a carry whose names begin with "<i>.", without that, while it lives; then put back.
class OwnCarry {
 public:
  OwnCarry(Carry& whole, std::size_t i) : whole_(whole), prefix_(std::to_string(i) + ".") {
    for (auto entry = whole.lower_bound(prefix_); entry != whole.end() && entry->first.starts_with(prefix_);
         ++entry)
      own_[entry->first.substr(prefix_.size())] = entry->second;
  }
  ~OwnCarry() {
    for (auto& [name, tensor] : own_) whole_[prefix_ + name] = std::move(tensor);
  }
  OwnCarry(const OwnCarry&) = delete;
  OwnCarry& operator=(const OwnCarry&) = delete;
  Carry& operator*() { return own_; }

 private:
  Carry& whole_;
  std::string prefix_;
  Carry own_;
};

/// total += weight * gradient, products side by side.
void add(const Gradient& gradient, double weight, Gradient& total) {
  if (gradient.dense().defined()) {
    const Value scaled = Value(gradient.dense()) * weight;
    Gradient sum((total.dense().defined() ? Value(total.dense()) + scaled : scaled).tensor());
    for (const OuterProduct& product : total.products()) sum.add(product);
    total = std::move(sum);
  }
  for (OuterProduct product : gradient.products()) {
    product.scale *= weight;
    total.add(std::move(product));
  }
}

/// What is wanted of a term: of the graph's parameters and of its `own`, which begin at `owned` among all.
std::vector<bool> wants_of_term(const std::vector<bool>& wants, std::size_t shared, std::size_t owned,
                                std::size_t own) {
  std::vector<bool> asked;
  for (std::size_t p = 0; !wants.empty() && p < shared + own; ++p)
    asked.push_back(wants[p < shared ? p : owned + p - shared]);
  return asked;
}

}  // namespace

SumObjective::SumObjective(std::vector<Term> terms) : terms_(std::move(terms)) {
  if (terms_.empty()) throw Error("[sum_objective] expected at least one objective, received none");
  for (auto term = terms_.begin(); term != terms_.end(); ++term) {
    if (term->objective == nullptr || !std::isfinite(term->weight)) {
      throw Error(fmt::format("[sum_objective] expected an objective and a finite weight, received {} and {}",
                              term->objective == nullptr ? "none" : term->objective->name(), term->weight));
    }
    if (std::any_of(terms_.begin(), term,
                    [&](const Term& other) { return other.objective == term->objective; })) {
      throw Error(
          fmt::format("[sum_objective] expected different objects, received the same {} twice; make a copy",
                      term->objective->name()));
    }
  }
}

std::string SumObjective::name() const {
  std::string text;
  for (const Term& term : terms_) {
    text += text.empty() ? "" : " + ";
    text += term.weight == 1.0 ? term.objective->name()
                               : fmt::format("{} {}", term.weight, term.objective->name());
  }
  return text;
}

Evaluation SumObjective::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                  EvaluateOptions options) const {
  // One batch serves every term.
  std::size_t sources = 1;
  for (const Term& term : terms_) sources = std::max(sources, term.source + 1);
  return evaluate_all(graph, std::vector<State>(sources, batch), carry, key, std::move(options));
}

Evaluation SumObjective::evaluate_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry,
                                      Key key, EvaluateOptions options) const {
  const std::size_t shared = graph.parameters().size();
  std::size_t owned = shared;  // where a term's own parameters begin
  Evaluation total;
  total.gradients.resize(shared + parameters().size());
  double loss = 0.0;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const Term& term = terms_[i];
    if (term.source >= batches.size()) {
      throw Error(fmt::format(
          "[sum_objective] expected a batch of source {} for {}, received {} batches; fit with as "
          "many sources",
          term.source, term.objective->name(), batches.size()));
    }
    const std::size_t own = term.objective->parameters().size();
    EvaluateOptions asked{.metrics = options.metrics,
                          .wants = wants_of_term(options.wants, shared, owned, own)};
    OwnCarry mine(carry, i);
    const Evaluation one =
        term.objective->evaluate_all(graph, batches.subspan(term.source), *mine,
                                     key.fold(static_cast<std::uint64_t>(i)), std::move(asked));
    for (std::size_t p = 0; p < one.gradients.size(); ++p)
      add(one.gradients[p], term.weight, total.gradients[p < shared ? p : owned + p - shared]);
    owned += own;
    if (i == 0) total.count = one.count;
    for (const auto& [name, value] : one.metrics) {
      if (name == "loss") loss += term.weight * value;
      total.metrics[fmt::format("{}.{}", i, name)] = value;
    }
  }
  if (options.metrics) total.metrics["loss"] = loss;
  return total;
}

void SumObjective::finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                               const std::vector<bool>& wants) const {
  std::size_t sources = 1;
  for (const Term& term : terms_) sources = std::max(sources, term.source + 1);
  finish_all(graph, std::vector<State>(sources, batch), carry, key, wants);
}

void SumObjective::finish_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                              const std::vector<bool>& wants) const {
  const std::size_t shared = graph.parameters().size();
  std::size_t owned = shared;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const std::size_t own = terms_[i].objective->parameters().size();
    OwnCarry mine(carry, i);
    terms_[i].objective->finish_all(graph, batches.subspan(terms_[i].source), *mine,
                                    key.fold(static_cast<std::uint64_t>(i)),
                                    wants_of_term(wants, shared, owned, own));
    owned += own;
  }
}

std::vector<Parameter> SumObjective::parameters() const {
  std::vector<Parameter> all;
  for (const Term& term : terms_) {
    for (Parameter& parameter : term.objective->parameters()) all.push_back(std::move(parameter));
  }
  return all;
}

std::vector<std::string> SumObjective::rules(const FactorGraph& graph) const {
  std::vector<std::string> all;
  for (const Term& term : terms_) {
    for (std::string& rule : term.objective->rules(graph)) {
      if (std::find(all.begin(), all.end(), rule) == all.end()) all.push_back(std::move(rule));
    }
  }
  return all;
}

}  // namespace basin
