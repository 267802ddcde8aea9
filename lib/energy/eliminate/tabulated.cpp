#include "energy/eliminate/tabulated.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/marginal/enumerate.h"
#include "energy/marginal/probe.h"
#include "tensor/error.h"

namespace basin {
namespace {

void require_room(Index rows, double numbers, Placement placement, const EliminateOptions& options) {
  constexpr double kLeast = 0x1p28, kCopies = 8.0;  // that history holds, about
  const double bytes =
      kCopies * numbers * static_cast<double>(rows) * static_cast<double>(byte_size(placement.dtype));
  if (bytes <= std::max(kLeast, static_cast<double>(options.bytes))) return;
  throw Error(
      fmt::format("[free_energy] expected tables of at most {} bytes, received {} samples of {:.0f} numbers; "
                  "take fewer samples "
                  "at a time or raise EliminateOptions::bytes",
                  options.bytes, rows, numbers));
}

}  // namespace

std::vector<std::size_t> axes_of(const Factor& factor, const Block& block) {
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (!members_of(factor, {block[i]}).empty()) axes.push_back(i);
  }
  return axes;
}

TableSum tabulated(const FactorGraph& graph, const Block& block, const State& rest,
                   const EliminateOptions& options) {
  const Index rows = rest.empty() ? 1 : rest.batch();
  std::map<std::vector<std::size_t>, std::vector<bool>> groups;  // terms that read the same
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const FactorGraph::Term& term = graph.terms()[i];
    const std::vector<std::size_t> axes = axes_of(*term.factor, block);
    if (term.weight == 0.0 || axes.empty()) continue;
    std::vector<bool>& group = groups[axes];
    group.resize(graph.terms().size(), false);
    group[i] = true;
  }
  std::vector<Index> sizes;
  for (const Variable& variable : block) sizes.push_back(state_count({variable}));
  std::vector<std::vector<std::size_t>> scopes;
  for (const auto& [axes, group] : groups) scopes.push_back(axes);
  require_room(rows, std::exp2(table_order(sizes, scopes).cost),
               rest.empty() ? graph.placement() : rest.placement(), options);

  std::vector<Table> tables;
  for (const auto& [axes, group] : groups) {
    const std::vector<bool>& own = group;
    const FactorGraph part = graph.weighted(
        [&](std::size_t i, const FactorGraph::Term& term) { return own[i] ? term.weight : 0.0; });
    Component all;
    Shape shape{rows};
    for (const std::size_t axis : axes) {
      all.enumerated.push_back(block[axis]);
      shape.push_back(sizes[axis]);
    }
    all.states = state_count(all.enumerated);
    const Value energies = component_energy(part, all, rest, 0, all.states, Elimination::Sum, options);
    tables.push_back({axes, reshape(-energies, shape)});
  }
  return {rows, std::move(sizes), std::move(tables)};
}

void draw_tabulated(const FactorGraph& graph, const Block& block, const State& rest, Key key,
                    const EliminateOptions& options, State& drawn) {
  const Placement placement = rest.empty() ? graph.placement() : rest.placement();
  const std::vector<Value> states =
      tabulated(graph, block, rest, options).sample(key, rest.context().own_row());
  for (std::size_t i = 0; i < block.size(); ++i) {
    const Value values = flatten(enumerate_states({block[i]}, 0, states[i].dim(1), placement)[block[i]]);
    drawn.set(block[i], reshape(matmul(states[i], values), batched(block[i], states[i].dim(0))));
  }
}

}  // namespace basin
