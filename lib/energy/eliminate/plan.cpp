#include "energy/eliminate/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "tensor/error.h"

namespace basin {
namespace {

Block without(const Block& block, const Block& removed) {
  Block rest;
  for (const Variable& variable : block) {
    if (!contains(removed, variable)) rest.push_back(variable);
  }
  return rest;
}

bool is_chain(const Factor& factor, const Variable& variable) {
  return factor.order_in(variable) == Order::Chain;
}

bool is_in_chain(const FactorGraph& graph, const Variable& variable) {
  const std::vector<FactorGraph::Term> terms = graph.touching(variable);
  return std::any_of(terms.begin(), terms.end(),
                     [&](const FactorGraph::Term& term) { return is_chain(*term.factor, variable); });
}

/// The cheapest way to eliminate some latents, by branch and bound: while some factor couples what is left,
/// one of the variables it couples is enumerated, or inferred.
class Search {
 public:
  Search(const FactorGraph& graph, const Block& latents, const State& rest, Elimination how)
      : graph_(graph), rest_(rest), how_(how) {
    for (std::size_t i = 0; i < graph.terms().size(); ++i) {
      const Block members = members_of(*graph.terms()[i].factor, latents);
      if (graph.terms()[i].weight != 0.0 && !members.empty()) terms_.push_back({i, members});
    }
    visit({}, 0.0);
  }

  bool found() const { return best_cost_ < std::numeric_limits<double>::infinity(); }
  /// What is enumerated and inferred, and log2 of the number of enumerated states.
  const Component& best() const { return best_; }
  double cost() const { return best_cost_; }
  /// What couples where nothing is enumerated; empty where nothing does.
  const std::string& reason() const { return reason_; }

 private:
  struct Term {
    std::size_t index;
    Block members;
  };

  std::string reason_against(const Term& term, const Block& left, const Block& inferred) const {
    const Factor& factor = *graph_.terms()[term.index].factor;
    const bool alone = left.size() == 1;
    for (const Variable& variable : left) {
      if (contains(inferred, variable))
        return alone ? "" : fmt::format("{} couples {} with another latent", factor.name(), variable.name);
    }
    if (alone && is_chain(factor, left.front())) return "";
    return objection(graph_, term.index, left, rest_);
  }

  void visit(const Component& choice, double cost) {
    if (cost >= best_cost_) return;
    for (const Term& term : terms_) {
      const Block left = without(term.members, choice.enumerated);
      if (left.empty()) continue;
      const std::string reason = reason_against(term, left, choice.inferred);
      if (reason.empty()) continue;
      if (reason_.empty()) reason_ = reason;
      for (auto each = left.rbegin(); each != left.rend(); ++each) {  // of equals the last: hidden units
        const Variable& variable = *each;
        Component next = choice;
        if (!is_continuous(variable)) {
          next.enumerated.push_back(variable);
          visit(next, cost + log2_states({variable}));
        } else if (how_ == Elimination::Minimum && !contains(choice.inferred, variable)) {
          next.inferred.push_back(variable);
          visit(next, cost + 1e-3);
        }
      }
      return;
    }
    best_ = choice;
    best_cost_ = cost;
  }

  const FactorGraph& graph_;
  const State& rest_;
  Elimination how_;
  std::vector<Term> terms_;
  Component best_;
  double best_cost_ = std::numeric_limits<double>::infinity();
  std::string reason_;
};

/// Latents that share factors, directly or through others.
std::vector<Block> linked(const FactorGraph& graph, const Block& latents) {
  std::vector<Block> components;
  for (const Variable& variable : latents) components.push_back({variable});
  for (const FactorGraph::Term& term : graph.touching(latents)) {
    const Block members = members_of(*term.factor, latents);
    Block joined;
    std::erase_if(components, [&](const Block& component) {
      const bool touched = std::any_of(members.begin(), members.end(),
                                       [&](const Variable& member) { return contains(component, member); });
      if (touched) joined.insert(joined.end(), component.begin(), component.end());
      return touched;
    });
    components.push_back(without(latents, without(latents, joined)));  // in the order of the latents
  }
  return components;
}

[[noreturn]] void refuse(const Block& latents, const std::string& reason, Elimination how,
                         const std::string& cost) {
  throw Error(fmt::format(
      "[{}] cannot eliminate {} exactly: {}{}; take fewer units, another transition or mean field",
      how == Elimination::Sum ? "free_energy" : "min_energy", to_string(latents), reason, cost));
}

}  // namespace

Block Component::all() const {
  Block block = enumerated;
  for (const Block* more : {&units, &chains, &inferred})
    block.insert(block.end(), more->begin(), more->end());
  return block;
}

std::vector<Component> plan_elimination(const FactorGraph& graph, const Block& latents, const State& rest,
                                        Elimination how, Index states) {
  require_block(graph, latents, how == Elimination::Sum ? "free_energy" : "min_energy");
  std::vector<Component> plan;
  if (stays_apart(graph, latents, rest))
    return {{.enumerated = {}, .units = latents, .chains = {}, .inferred = {}}};

  for (const Block& block : linked(graph, latents)) {
    const Search search(graph, block, rest, how);
    if (!search.found()) {
      refuse(block, search.reason(), how, ", and what it couples has no states to enumerate");
    }
    Component component = search.best();
    if (search.cost() > std::log2(static_cast<double>(states)) + 1e-6) {
      refuse(
          block, search.reason(), how,
          fmt::format(", and the cheapest way takes 2^{:.0f} states of {}, {} are allowed (EliminateOptions)",
                      search.cost(), to_string(component.enumerated), states));
    }
    for (const Variable& variable : component.enumerated) {
      if (rest.context().lengths.defined() && contains(graph.sequences(), variable)) {
        refuse(block, search.reason(), how,
               fmt::format(", and sequences {} of several lengths are not enumerated", variable.name));
      }
    }
    component.states = state_count(component.enumerated);
    for (const Variable& variable : without(without(block, component.enumerated), component.inferred)) {
      (is_in_chain(graph, variable) ? component.chains : component.units).push_back(variable);
    }
    plan.push_back(std::move(component));
  }
  return plan;
}

}  // namespace basin
