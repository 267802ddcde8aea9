#include "energy/marginal/enumerate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/free_energy.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// States of one unit (2, or the number of categories) and how many units a variable has.
struct Digits {
  Index radix = 2, count = 0;
};

Digits digits_of(const Variable& variable) {
  switch (variable.domain) {
    case Domain::Binary:
      return {2, variable.size()};
    case Domain::Categorical:
      return {variable.shape.back(), variable.size() / variable.shape.back()};
    case Domain::Real:
    case Domain::NonNegative:
      break;
  }
  throw Error(
      fmt::format("[enumerate] expected binary or categorical variables, received {}, which is {}; integrate "
                  "it out as a marginal block",
                  variable.name, to_string(variable.domain)));
}

void require_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal) {
  Block all = enumerated;
  all.insert(all.end(), marginal.begin(), marginal.end());
  require_block(graph, all, "log_partition");
  for (const Variable& variable : graph.variables()) {
    if (std::find(all.begin(), all.end(), variable) == all.end()) {
      throw Error(
          fmt::format("[log_partition] expected every variable in one of the two blocks {} and {}, {} is in "
                      "none; name it in one of them",
                      to_string(enumerated), to_string(marginal), variable.name));
    }
  }
}

}  // namespace

Index state_count(const Block& block, Index limit) {
  Index count = 1;
  for (const Variable& variable : block) {
    const Digits digits = digits_of(variable);
    for (Index i = 0; i < digits.count; ++i) {
      if (count > limit / digits.radix) {
        throw Error(
            fmt::format("[enumerate] expected at most {} joint states of {}, received more; enumerate fewer "
                        "units or estimate by annealed "
                        "importance sampling",
                        limit, to_string(block)));
      }
      count *= digits.radix;
    }
  }
  return count;
}

State enumerate_states(const Block& block, Index begin, Index end, Placement placement) {
  const Index count = state_count(block);
  if (begin < 0 || begin > end || end > count) {
    throw Error(
        fmt::format("[enumerate] expected a range inside [0, {}), received [{}, {})", count, begin, end));
  }
  State state;
  Index period = 1;  // joint states of the variables that change faster
  for (auto variable = block.rbegin(); variable != block.rend(); ++variable) {
    const Digits digits = digits_of(*variable);
    const Index units = variable->size();
    std::vector<double> values(static_cast<std::size_t>((end - begin) * units), 0.0);
    for (Index n = 0; n < end - begin; ++n) {
      Index code = (begin + n) / period;
      for (Index i = digits.count - 1; i >= 0; --i, code /= digits.radix) {
        const Index digit = code % digits.radix;
        if (variable->domain == Domain::Binary) {
          values[static_cast<std::size_t>(n * units + i)] = static_cast<double>(digit);
        } else {
          values[static_cast<std::size_t>(n * units + i * digits.radix + digit)] = 1.0;
        }
      }
    }
    period *= state_count({*variable});
    Shape shape = variable->shape;
    shape.insert(shape.begin(), end - begin);
    state.set(*variable, Tensor::from(values, shape, placement));
  }
  return state;
}

double log_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal, Index batch) {
  require_partition(graph, enumerated, marginal);
  check_no_interaction(graph, marginal);
  if (batch < 1) {
    throw Error(fmt::format("[log_partition] expected a batch >= 1, received {}", batch));
  }
  const Index count = state_count(enumerated);
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
  const State states = enumerate_states(enumerated, 0, state_count(enumerated), graph.placement());
  return log_sum_exp(-free_energy(graph, marginal, states), 0);
}

}  // namespace basin
