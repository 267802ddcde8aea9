#include "energy/objectives/sum_objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

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

std::string SumObjective::unit() const {
  const std::string first = terms_.front().objective->unit();
  const bool is_common =
      std::ranges::all_of(terms_, [&](const Term& term) { return term.objective->unit() == first; });
  return is_common ? first : "energy";
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

/// Calls part(i, term, its carry, what is wanted of its parameters, where), where(p) the position of its
/// parameter p in all.
template <class Part>
void SumObjective::for_each_term(const FactorGraph& graph, Carry& carry, const std::vector<bool>& wants,
                                 Part part) const {
  const std::size_t shared = graph.parameters().size();
  std::size_t owned = shared;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const std::size_t own = terms_[i].objective->parameters().size();
    const auto where = [&](std::size_t p) { return p < shared ? p : owned + p - shared; };
    std::vector<bool> asked;
    for (std::size_t p = 0; !wants.empty() && p < shared + own; ++p) asked.push_back(wants[where(p)]);
    const std::string prefix = std::to_string(i) + ".";
    Carry mine;
    for (auto entry = carry.lower_bound(prefix); entry != carry.end() && entry->first.starts_with(prefix);
         ++entry)
      mine[entry->first.substr(prefix.size())] = entry->second;
    part(i, terms_[i], mine, std::move(asked), where);
    for (auto& [name, tensor] : mine) carry[prefix + name] = std::move(tensor);
    owned += own;
  }
}

Evaluation SumObjective::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                  EvaluateOptions options) const {
  return evaluate_all(graph, {&batch, 1}, carry, key, std::move(options));
}

Evaluation SumObjective::evaluate_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry,
                                      Key key, EvaluateOptions options) const {
  Evaluation total;
  total.gradients.resize(graph.parameters().size() + parameters().size());
  double loss = 0.0;
  for_each_term(
      graph, carry, options.wants, [&](auto i, const Term& term, auto& mine, auto asked, auto where) {
        if (term.source >= batches.size()) {
          throw Error(fmt::format(
              "[sum_objective] expected a batch of source {} for {}, received {} batches; fit with as "
              "many sources",
              term.source, term.objective->name(), batches.size()));
        }
        const Evaluation one = term.objective->evaluate_all(
            graph, batches.subspan(term.source), mine, key.fold(static_cast<std::uint64_t>(i)),
            {.metrics = options.metrics,
             .wants = std::move(asked),
             .reduce = options.reduce,
             .observations = term.source == 0 ? options.observations : nullptr});
        for (std::size_t p = 0; p < one.gradients.size(); ++p)
          add(one.gradients[p], term.weight, total.gradients[where(p)]);
        for (const auto& [name, value] : one.metrics) {
          if (name == "loss") loss += term.weight * value;
          total.metrics[fmt::format("{}.{}", i, name)] = value;
        }
      });
  if (options.metrics) total.metrics["loss"] = loss;
  return total;
}

HeldLoss SumObjective::held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                                 Key key) const {
  std::vector<std::pair<double, std::function<double()>>> terms;
  std::string why_none;
  Carry passing = copied(carry);
  for_each_term(graph, passing, {}, [&](auto i, const Term& term, auto& mine, const auto&, auto) {
    HeldLoss own = basin::held_loss(*term.objective, graph, batches.subspan(term.source), mine,
                                    key.fold(static_cast<std::uint64_t>(i)));
    if (!own.value) why_none = term.objective->name() + ": " + own.why_none;
    terms.emplace_back(term.weight, std::move(own.value));
  });
  if (!why_none.empty()) return {.why_none = why_none};
  return {.value = [terms] {
    double loss = 0.0;
    for (const auto& [weight, value] : terms) loss += weight * value();
    return loss;
  }};
}

void SumObjective::finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                               const std::vector<bool>& wants) const {
  finish_all(graph, {&batch, 1}, carry, key, wants);
}

void SumObjective::finish_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                              const std::vector<bool>& wants) const {
  for_each_term(graph, carry, wants, [&](auto i, const Term& term, auto& mine, const auto& asked, auto) {
    term.objective->finish_all(graph, batches.subspan(term.source), mine,
                               key.fold(static_cast<std::uint64_t>(i)), asked);
  });
}

std::vector<Parameter> SumObjective::parameters() const {
  std::vector<Parameter> all;
  for (const Term& term : terms_) {
    for (Parameter& parameter : term.objective->parameters()) all.push_back(std::move(parameter));
  }
  return all;
}

Rules SumObjective::rules(const FactorGraph& graph) const {
  Rules all;
  for (const Term& term : terms_) {
    for (std::string& rule : term.objective->rules(graph)) {
      if (std::find(all.begin(), all.end(), rule) == all.end()) all.push_back(std::move(rule));
    }
  }
  return all;
}

}  // namespace basin
