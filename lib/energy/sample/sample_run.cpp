#include "energy/sample/sample_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Placement kHost{Dtype::F64, Device::Cpu};

/// One series of scalars, a state after the other.
struct Series {
  Shape shape;  // of one state's: [N] or [N, K]
  std::vector<double> numbers;

  void add(const std::string& name, const Value& scalars, Index chains, Index draw) {
    const Shape& received = scalars.shape();
    if (received.empty() || received.size() > 2 || received[0] != chains ||
        (!numbers.empty() && received != shape)) {
      throw Error(fmt::format(
          "[sample] expected '{}' to give a number, or as many each time, for each of {} chains, received "
          "shape {}; reduce the other axes",
          name, chains, to_string(received)));
    }
    shape = received;
    const std::vector<double> now = scalars.tensor().values();
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (std::isfinite(now[i])) continue;
      throw Error(fmt::format(
          "[sample] expected finite numbers of '{}', received {} at draw {} of chain {}; take a smaller step",
          name, now[i], draw, i / (now.size() / static_cast<std::size_t>(chains))));
    }
    numbers.insert(numbers.end(), now.begin(), now.end());
  }
  Tensor tensor(Index draws) const {
    Shape all{draws};
    all.insert(all.end(), shape.begin(), shape.end());
    return Tensor::from(numbers, std::move(all), kHost);
  }
};

/// Sums over states and their rows.
struct Moments {
  Value sum, squares;

  void add(const Value& x) {
    const Value now = basin::sum(x, {0}), squared = basin::sum(square(x), {0});
    sum = sum.defined() ? sum + now : now;
    squares = squares.defined() ? squares + squared : squared;
  }
};

void check(const Transition& transition, const State& state, const SampleOptions& options) {
  if (options.burn_in < 0 || options.draws < 1 || options.thin < 1) {
    throw Error(
        fmt::format("[sample] expected burn_in >= 0, draws >= 1 and thin >= 1, received {}, {} and {}",
                    options.burn_in, options.draws, options.thin));
  }
  if (const Index needed = transition.adapting(state); needed > options.burn_in) {
    throw Error(fmt::format(
        "[sample] {} tunes itself for {} moves, which are no draws; set burn_in >= {}, received {}",
        transition.name(), needed, needed, options.burn_in));
  }
}

std::map<std::string, Tensor> tensors(const std::map<std::string, Series>& series, Index draws) {
  std::map<std::string, Tensor> result;
  for (const auto& [name, numbers] : series) result[name] = numbers.tensor(draws);
  return result;
}

}  // namespace

Mixing SampleRun::mixing(const std::string& name) const {
  const auto found = watched.find(name);
  if (found != watched.end()) return basin::mixing(found->second);
  std::vector<std::string> known;
  for (const auto& entry : watched) known.push_back(entry.first);
  throw Error(fmt::format("[sample] expected one of the watched scalars {}, received '{}'", known, name));
}

double SampleRun::mean_info(const std::string& name) const {
  const auto found = info.find(name);
  if (found == info.end()) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> numbers = found->second.values();
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

SampleRun sample(const Transition& transition, const FactorGraph& graph, State state,
                 const SampleOptions& options) {
  check(transition, state, options);
  SampleRun run;
  const auto move = [&](Index count) {
    for (Index i = 0; i < count; ++i)
      state = transition(graph, state, options.key.fold(static_cast<std::uint64_t>(run.moves++)));
  };
  move(options.burn_in);
  std::map<std::string, Series> watched, info;
  std::map<std::string, Moments> moments;
  for (; run.draws < options.draws; ++run.draws) {
    move(options.thin);
    const Index chains = state.batch();
    watched["energy"].add("energy", graph.energy(state), chains, run.draws);
    for (const auto& [name, scalars] : options.watch)
      watched[name].add(name, scalars(graph, state), chains, run.draws);
    for (const auto& [name, numbers] : transition.info(state))
      info[name].add(name, numbers, chains, run.draws);
    for (const Variable& variable : transition.moves())
      moments[variable.name].add(state[variable].detached());
  }
  run.watched = tensors(watched, run.draws);
  run.info = tensors(info, run.draws);
  const double scale = 1.0 / static_cast<double>(run.draws * state.batch());
  for (const auto& [name, sums] : moments) {
    run.mean[name] = (sums.sum * scale).tensor().to(kHost);
    run.square[name] = (sums.squares * scale).tensor().to(kHost);
  }
  run.state = std::move(state);
  return run;
}

}  // namespace basin
