#include "energy/eliminate/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "energy/eliminate/tabulated.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "energy/tables.h"
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

/// Whether some factor is of an order in the variable.
bool is_in(const FactorGraph& graph, const Variable& variable, Order order) {
  const std::vector<FactorGraph::Term> terms = graph.touching(variable);
  return std::any_of(terms.begin(), terms.end(),
                     [&](const FactorGraph::Term& term) { return term.factor->order_in(variable) == order; });
}

/// How many factors eliminate the variable with others, or along an axis.
std::ptrdiff_t structures_of(const FactorGraph& graph, const Variable& variable) {
  const std::vector<FactorGraph::Term> terms = graph.touching(variable);
  return std::count_if(terms.begin(), terms.end(), [&](const FactorGraph::Term& term) {
    const Order order = term.factor->order_in(variable);
    return order == Order::Joint || order == Order::Chain;
  });
}

/// The cheapest way to eliminate some latents, by branch and bound: while some factor couples what is left,
/// one of the variables it couples is enumerated, or inferred.
class Search {
 public:
  /// Costs below `bound` alone are of interest.
  Search(const FactorGraph& graph, const Block& latents, const State& rest, Elimination how, double bound)
      : graph_(graph), rest_(rest), how_(how), best_cost_(bound) {
    for (std::size_t i = 0; i < graph.terms().size(); ++i) {
      const Block members = members_of(*graph.terms()[i].factor, latents);
      if (graph.terms()[i].weight != 0.0 && !members.empty()) terms_.push_back({i, members});
    }
    visit({}, 0.0);
  }

  bool found() const { return found_; }
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
    if (alone && is_chain(factor, left.front()) && !is_in(graph_, left.front(), Order::Joint)) return "";
    if (std::all_of(left.begin(), left.end(),
                    [&](const Variable& each) { return factor.order_in(each) == Order::Joint; })) {
      const auto tied = std::find_if(left.begin(), left.end(),
                                     [&](const Variable& each) { return structures_of(graph_, each) > 1; });
      if (tied == left.end()) return "";
      return fmt::format("{} and another factor both tie the values of {}", factor.name(), tied->name);
    }
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
    found_ = true;
  }

  const FactorGraph& graph_;
  const State& rest_;
  Elimination how_;
  std::vector<Term> terms_;
  Component best_;
  double best_cost_;
  bool found_ = false;
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

/// The order of elimination by tables of few discrete variables each (tabulated.h); an infinite cost where
/// that is none.
TableOrder tables_of(const FactorGraph& graph, const Block& latents, const State& rest) {
  constexpr double kMostStates = 12.0;  // log2, of one variable
  TableOrder none{.axes = {}, .cost = std::numeric_limits<double>::infinity()};
  const Block sequences = rest.context().lengths.defined() ? graph.sequences() : Block{};
  std::vector<Index> sizes;
  for (const Variable& variable : latents) {
    if (!(log2_states({variable}) <= kMostStates) || contains(sequences, variable)) return none;
    sizes.push_back(state_count({variable}));
  }
  std::vector<std::vector<std::size_t>> tables;
  for (const FactorGraph::Term& term : graph.touching(latents))
    tables.push_back(axes_of(*term.factor, latents));
  return table_order(sizes, tables);
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
  for (const Block* more : {&units, &chains, &joint, &inferred, &tabulated})
    block.insert(block.end(), more->begin(), more->end());
  return block;
}

std::vector<Component> plan_elimination(const FactorGraph& graph, const Block& latents, const State& rest,
                                        Elimination how, Index states) {
  require_block(graph, latents, how == Elimination::Sum ? "free_energy" : "min_energy");
  std::vector<Component> plan;
  if (stays_apart(graph, latents, rest)) return {{.units = latents}};

  for (const Block& block : linked(graph, latents)) {
    const TableOrder tables = tables_of(graph, block, rest);
    const double most = std::log2(static_cast<double>(states)) + 1e-6;
    const bool tabular = tables.cost <= most;
    const Search search(graph, block, rest, how,
                        tabular ? tables.cost : std::numeric_limits<double>::infinity());
    if (!search.found() && tabular) {
      plan.push_back({.tabulated = block});
      continue;
    }
    if (!search.found()) {
      refuse(block, search.reason(), how, ", and what it couples has no states to enumerate");
    }
    Component component = search.best();
    if (search.cost() > most) {
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
      const bool joint = is_in(graph, variable, Order::Joint);
      (joint                                  ? component.joint
       : is_in(graph, variable, Order::Chain) ? component.chains
                                              : component.units)
          .push_back(variable);
    }
    plan.push_back(std::move(component));
  }
  return plan;
}

}  // namespace basin
