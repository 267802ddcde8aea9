#include "energy/sample/gibbs.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "energy/marginal/bipartite.h"
#include "energy/marginal/layered.h"

namespace basin {
namespace {

/// The rule "layered", where it applies.
std::optional<State> layered_gibbs(const FactorGraph& graph, const BlockGibbs& sweep, const State& state,
                                   Index sweeps, Key key) {
  const std::optional<Layered> pattern = recognise_layered(graph);
  if (!pattern || sweeps < 1) return std::nullopt;
  for (const Block& block : sweep.blocks()) {
    for (const Variable& variable : block) {
      if (pattern->place(variable) < 0) return std::nullopt;
    }
    if (!pattern->apart(block)) return std::nullopt;
  }
  Scratch scratch;
  const LayeredNumbers numbers(*pattern, graph, scratch, "gibbs");
  const Index samples = state.batch(), first_row = state.context().own_row();
  State moved = state;
  std::vector<Tensor> rows;
  for (const Variable& layer : pattern->layers) {
    const bool moves = contains(sweep.moves(), layer);
    const bool drawn_first = contains(sweep.blocks().front(), layer);
    Tensor value = moves ? Tensor(batched(layer, samples), numbers.placement()) : state[layer].tensor();
    rows.push_back(layered_rows(layer, value, numbers.placement()));
    if (moves && !drawn_first)
      rows.back().copy_from(layered_rows(layer, state[layer].tensor(), numbers.placement()));
    moved.set(layer, value);
  }
  for (Index i = 0; i < sweeps; ++i) {
    for (std::size_t block = 0; block < sweep.blocks().size(); ++block) {
      const Key own = key.fold(static_cast<std::uint64_t>(i)).fold(static_cast<std::uint64_t>(block));
      for (const Variable& layer : sweep.blocks()[block]) {
        const auto l = static_cast<std::size_t>(pattern->place(layer));
        numbers.input(l, rows, rows[l]);
        numbers.units(l, rows[l],
                      {.key = own.fold(layer.name).bits(), .sample = rows[l], .first_row = first_row});
      }
    }
  }
  return moved;
}

}  // namespace

State gibbs(const FactorGraph& graph, const BlockGibbs& sweep, const State& state, Index sweeps, Key key,
            Fuse fuse) {
  if (fuse == Fuse::Auto) {
    if (std::optional<State> moved = layered_gibbs(graph, sweep, state, sweeps, key)) return *moved;
  }
  const bool single = std::all_of(sweep.blocks().begin(), sweep.blocks().end(),
                                  [](const Block& block) { return block.size() == 1; });
  const std::optional<Bipartite> pattern =
      fuse == Fuse::Auto && single ? recognise_bipartite(graph) : std::nullopt;
  if (!pattern || sweeps < 1) return iterate(sweep, graph, state, sweeps, key);

  Scratch scratch;
  const BipartiteNumbers numbers(*pattern, graph, scratch, "gibbs");

  // Moved variables get tensors of their own; what the first block needs of the other side must be there, and
  // so its clamped values.
  const Index samples = state.batch(), first_row = state.context().own_row();
  std::array<Tensor, 2> values, rows;
  for (int side = 0; side < 2; ++side) {
    const auto s = static_cast<std::size_t>(side);
    const Variable& variable = pattern->layers[s].variable;
    const bool moved = std::any_of(sweep.blocks().begin(), sweep.blocks().end(),
                                   [&](const Block& block) { return block.front() == variable; });
    const bool drawn_first = sweep.blocks().front().front() == variable;
    values[s] = moved ? Tensor(batched(variable, samples), numbers.placement()) : state[variable].tensor();
    rows[s] = bipartite_rows(*pattern, side, values[s], numbers.placement());
    if (moved && !drawn_first)
      rows[s].copy_from(bipartite_rows(*pattern, side, state[variable].tensor(), numbers.placement()));
  }
  for (Index i = 0; i < sweeps; ++i) {
    for (std::size_t block = 0; block < sweep.blocks().size(); ++block) {
      const Variable& variable = sweep.blocks()[block].front();
      const int side = pattern->side(variable);
      const Tensor& x = rows[static_cast<std::size_t>(side)];
      numbers.product(1 - side, rows[static_cast<std::size_t>(1 - side)], x);
      const Key draw =
          key.fold(static_cast<std::uint64_t>(i)).fold(static_cast<std::uint64_t>(block)).fold(variable.name);
      numbers.units(side, x, {.key = draw.bits(), .sample = x, .first_row = first_row});
    }
  }
  State moved = state;
  for (std::size_t s = 0; s < 2; ++s) moved.set(pattern->layers[s].variable, values[s]);
  return moved;
}

}  // namespace basin
