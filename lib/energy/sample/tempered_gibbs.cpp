#include "energy/sample/tempered_gibbs.h"

#include <array>

#include "autograd/ops.h"
#include "energy/marginal/bipartite.h"
#include "energy/sample_ops.h"

namespace basin {
namespace {

bool is_drawn(Unit unit) { return unit == Unit::Binary || unit == Unit::Categorical; }

std::optional<Bipartite> recognised(const FactorGraph& graph, const std::vector<Block>& blocks) {
  if (blocks.size() != 2 || blocks[0].size() != 1 || blocks[1].size() != 1 || blocks[0] == blocks[1])
    return std::nullopt;
  std::optional<Bipartite> pattern = recognise_bipartite(graph);
  if (pattern && !(is_drawn(pattern->layers[0].unit) && is_drawn(pattern->layers[1].unit))) pattern.reset();
  return pattern;
}

/// x.b of each row.
Value along(const Tensor& x, const Tensor& b) {
  return reshape(matmul(x, b.reshaped({b.size(), 1})), {x.dim(0)});
}

}  // namespace

bool is_tempered_bipartite(const FactorGraph& graph, const std::vector<Block>& blocks) {
  return recognised(graph, blocks).has_value();
}

std::optional<TemperedSweeps> tempered_gibbs(const FactorGraph& graph, const std::vector<Block>& blocks,
                                             const State& state, const Value& scales, Index sweeps, Key key) {
  const std::optional<Bipartite> pattern = recognised(graph, blocks);
  if (!pattern || sweeps < 1 || state.context().lengths.defined()) return std::nullopt;
  Scratch scratch;
  const BipartiteNumbers numbers(*pattern, graph, scratch, "tempered");
  const Index rows = state.batch(), first_row = state.context().own_row();
  std::array<Tensor, 2> values, input;
  const auto at = [](int side) { return static_cast<std::size_t>(side); };
  for (const int side : {0, 1}) {
    const Variable& variable = pattern->layers[at(side)].variable;
    input[at(side)] = Tensor({rows, variable.size()}, numbers.placement());
    if (blocks.front().front() == variable) continue;  // drawn before it is read
    values[at(side)] = bipartite_rows(*pattern, side, state[variable].tensor(), numbers.placement());
  }
  for (Index i = 0; i < sweeps; ++i) {
    for (std::size_t block = 0; block < 2; ++block) {
      const Variable& variable = blocks[block].front();
      const int side = pattern->side(variable);
      const bool last = i + 1 == sweeps && block == 1;  // whose input the energy needs
      values[at(side)] = last ? Tensor(input[at(side)].shape(), numbers.placement()) : input[at(side)];
      numbers.product(1 - side, values[at(1 - side)], input[at(side)]);
      const Key draw =
          key.fold(static_cast<std::uint64_t>(i)).fold(static_cast<std::uint64_t>(block)).fold(variable.name);
      numbers.units(side, input[at(side)],
                    {.key = draw.bits(),
                     .sample = values[at(side)],
                     .first_row = first_row,
                     .row_scales = scales.tensor()});
    }
  }
  const int side = pattern->side(blocks[1].front());
  const Tensor &drawn = values[at(side)], &other = values[at(1 - side)];
  TemperedSweeps result{.state = state, .energy = {}};
  result.energy = -(dot_per_sample(input[at(side)], drawn) + along(drawn, numbers.bias(side)) +
                    along(other, numbers.bias(1 - side)));
  for (const int each : {0, 1}) {
    const Variable& variable = pattern->layers[at(each)].variable;
    result.state.set(variable, values[at(each)].reshaped(batched(variable, rows)));
  }
  return result;
}

}  // namespace basin
