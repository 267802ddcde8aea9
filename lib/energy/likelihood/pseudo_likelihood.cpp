#include "energy/likelihood/pseudo_likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// Degrees of freedom that an estimate of the spread within samples has at least.
constexpr Index kDegrees = 100;

/// Sums over the flips of one sample.
struct Flips {
  double sum = 0.0, squares = 0.0;
};

/// Bits begin .. end - 1 of each row's own order, one list a draw.
std::vector<std::vector<double>> drawn_bits(Key key, const State& data, Index bits, Index begin, Index end) {
  std::vector<std::vector<double>> drawn(static_cast<std::size_t>(end - begin));
  const auto first = static_cast<std::uint64_t>(data.context().own_row());
  for (std::uint64_t n = 0; n < static_cast<std::uint64_t>(data.batch()); ++n) {
    const std::vector<Index> order = permutation(key.fold(first + n), bits);
    for (std::size_t r = 0; r < drawn.size(); ++r)
      drawn[r].push_back(static_cast<double>(order[static_cast<std::size_t>(begin) + r]));
  }
  return drawn;
}

/// log p(bit | others), where the free energy rises by so much when it is flipped.
Value log_probability(const Value& rise) { return -softplus(-rise); }

}  // namespace

PseudoLikelihood pseudo_likelihood(const FactorGraph& graph, const Variable& v, const Block& latents,
                                   const State& data, Key key, PseudoLikelihoodOptions options) {
  if (v.domain != Domain::Binary) {
    throw Error(fmt::format("[pseudo_likelihood] expected a binary variable, received {} which is {}", v.name,
                            to_string(v.domain)));
  }
  if (data.context().lengths.defined() && contains(graph.sequences(), v)) {
    throw Error(fmt::format(
        "[pseudo_likelihood] expected a variable of one length, received sequences {} of several, whose "
        "padding would be flipped; take samples of equal lengths and leave Context::lengths out",
        v.name));
  }
  const Value x = data[v].detached(), change = 1.0 - 2.0 * x;
  const Index samples = x.dim(0), bits = v.size();
  if (samples < 1 || !(options.error >= 0.0)) {
    throw Error(fmt::format(
        "[pseudo_likelihood] expected samples and an error of at least 0 nats, received {} and {}", samples,
        options.error));
  }
  const Value at = Value::leaf(x.tensor());
  const Value free = free_energy(graph, latents, data.with(v, at));
  const Value guess = log_probability(flatten(change * grad(sum(free), {at}).front()));  // [N, bits]
  std::vector<Flips> flips(static_cast<std::size_t>(samples));
  PseudoLikelihood result;
  const auto rows = static_cast<double>(samples), all = static_cast<double>(bits);
  Index next = std::min(bits, std::max<Index>(2, kDegrees / samples + 1));
  do {
    for (const std::vector<double>& drawn : drawn_bits(key, data, bits, result.bits, next)) {
      const Tensor bit = Tensor::from(drawn, {samples}, x.placement());
      const Value flipped = x + reshape(one_hot(bit, bits), x.shape()) * change;
      const Value rise = free_energy(graph, latents, data.with(v, flipped)) - free.detached();
      const std::vector<double> missed = (log_probability(rise) - take(guess, bit)).tensor().values();
      for (std::size_t n = 0; n < missed.size(); ++n) {
        flips[n].sum += missed[n];
        flips[n].squares += missed[n] * missed[n];
      }
    }
    result.bits = std::exchange(next, std::min(2 * next, bits));
    const auto drawn = static_cast<double>(result.bits);
    double missed = 0.0, variance = 0.0;  // of the mean over a sample's flips
    for (const Flips& own : flips) {
      missed += own.sum / drawn;
      variance += std::max(0.0, own.squares - own.sum * own.sum / drawn) / drawn / std::max(1.0, drawn - 1.0);
    }
    result.mean = (sum(guess.detached()).item() + all * missed) / rows;
    result.standard_error = all * std::sqrt(variance * (1.0 - drawn / all)) / rows;
  } while (result.bits < bits && !(result.standard_error < options.error));
  return result;
}

}  // namespace basin
