#include "energy/eliminate/log_partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/enumerate.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kStates = Index{1} << 24;

void require_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal) {
  Block all = enumerated;
  all.insert(all.end(), marginal.begin(), marginal.end());
  require_block(graph, all, "log_partition");
  for (const Variable& variable : graph.variables()) {
    if (!contains(all, variable)) {
      throw Error(
          fmt::format("[log_partition] expected every variable in one of the two blocks {} and {}, {} is in "
                      "none; name it in one of them",
                      to_string(enumerated), to_string(marginal), variable.name));
    }
  }
}

}  // namespace

double log_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal, Index batch) {
  require_partition(graph, enumerated, marginal);
  if (batch < 1) {
    throw Error(fmt::format("[log_partition] expected a batch >= 1, received {}", batch));
  }
  const Index count = state_count(enumerated, kStates);
  double highest = -INFINITY;  // log Z = highest + log(total), highest the largest exponent so far
  double total = 0.0;
  for (Index begin = 0; begin < count; begin += batch) {
    const State states =
        enumerate_states(enumerated, begin, std::min(begin + batch, count), graph.placement());
    for (const double energy : free_energy(graph, marginal, states).tensor().values()) {
      if (-energy > highest) {
        total *= std::exp(highest + energy);
        highest = -energy;
      }
      total += std::exp(-energy - highest);
    }
  }
  return highest + std::log(total);
}

Value log_partition_value(const FactorGraph& graph, const Block& enumerated, const Block& marginal) {
  require_partition(graph, enumerated, marginal);
  const State states = enumerate_states(enumerated, 0, state_count(enumerated, kStates), graph.placement());
  return log_sum_exp(-free_energy(graph, marginal, states), 0);
}

}  // namespace basin
