#include "energy/marginal/enumerate.h"

#include <fmt/format.h>

#include <cmath>

#include "tensor/error.h"

namespace basin {
namespace {

/// How many units a variable has, and the states of each (2, or the number of categories).
struct Digits {
  Index radix = 2, count = 0;
};

Digits digits_of(const Variable& variable) {
  const bool groups = variable.domain == Domain::Categorical;
  const Index radix = groups ? variable.shape.back() : 2;
  if (groups || variable.domain == Domain::Binary) return {radix, variable.size() / (groups ? radix : 1)};
  throw Error(
      fmt::format("[enumerate] expected binary or categorical variables, received {}, which is {}; integrate "
                  "it out as a marginal block",
                  variable.name, to_string(variable.domain)));
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
                        "units or estimate by annealed importance sampling",
                        limit, to_string(block)));
      }
      count *= digits.radix;
    }
  }
  return count;
}

double log2_states(const Block& block) {
  double total = 0.0;
  for (const Variable& variable : block) {
    if (variable.domain == Domain::Real || variable.domain == Domain::NonNegative) return INFINITY;
    const Digits digits = digits_of(variable);
    total += static_cast<double>(digits.count) * std::log2(static_cast<double>(digits.radix));
  }
  return total;
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
        const bool group = variable->domain == Domain::Categorical;
        const Index at = group ? n * units + i * digits.radix + digit : n * units + i;
        values[static_cast<std::size_t>(at)] = group ? 1.0 : static_cast<double>(digit);
      }
    }
    period *= state_count({*variable});
    state.set(*variable, Tensor::from(values, batched(*variable, end - begin), placement));
  }
  return state;
}

}  // namespace basin
