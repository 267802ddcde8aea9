#include "energy/objectives/density/bit_flips.h"

#include <fmt/format.h>

#include <vector>

#include "autograd/ops.h"
#include "energy/demanded.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// 1 at the bit that row n * m + r flips, [N m, bits].
Value chosen_bits(Index rows, Index bits, Index m, std::uint64_t first, Key key, Placement placement) {
  if (m == bits) {
    const Value each = reshape(identity(bits, placement), {1, bits, bits});
    return reshape(broadcast_to(each, {rows, bits, bits}), {rows * bits, bits});
  }
  std::vector<double> chosen;
  for (std::uint64_t n = 0; n < static_cast<std::uint64_t>(rows); ++n) {
    const std::vector<Index> order = permutation(key.fold(first + n), bits);
    for (Index r = 0; r < m; ++r) chosen.push_back(static_cast<double>(order[static_cast<std::size_t>(r)]));
  }
  return one_hot(Tensor::from(chosen, {rows * m}, placement), bits);
}

}  // namespace

void require_bits(const char* who, const Block& x) {
  require_domain(who, x, Domain::Binary, "take score_matching of real variables, or noise_contrastive");
}

BitFlips bit_flips(const char* who, const FactorGraph& graph, const Block& x, const State& batch, Key key,
                   Index m) {
  const Joined joined(who, graph, x, Domain::Binary, batch);
  const Index rows = batch.batch(), bits = joined.size;
  if (m < 0 || m > bits)
    throw Error(fmt::format("[{}] expected 0 (all) to {} bits, received {}", who, bits, m));
  const Value values = joined.values(batch).detached();
  demand_none(fmt::format("bits of {}", who), abs(values * (1.0 - values)),
              fmt::format("[{}] expected bits, 0 or 1, received other numbers; draw bits of means "
                          "(data.scale = \"stochastic\") or cut them (\"threshold\")",
                          who));
  const Index flips = m == 0 ? bits : m;
  const Value chosen = chosen_bits(rows, bits, flips, static_cast<std::uint64_t>(batch.context().own_row()),
                                   key, values.placement());
  const Value copies = replicated(values, flips);
  const State flipped = joined.with(replicated(graph, batch, flips), copies + chosen * (1.0 - 2.0 * copies));
  const Value before = reshape(free_energy(graph, joined.latents, batch), {rows, 1});
  const Value after = reshape(free_energy(graph, joined.latents, flipped), {rows, flips});
  return {after - before, static_cast<double>(bits) / static_cast<double>(flips)};
}

}  // namespace basin
