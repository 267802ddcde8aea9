#include "energy/sample/parallel_tempering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/tempered.h"
#include "energy/sample/choose.h"
#include "energy/sample/tempered_gibbs.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

const std::string kMemory = "tempering.", kInner = "tempering.inner.";

std::string held(const Variable& variable) { return kMemory + "of." + variable.name; }

/// A shape with other axes in front of all but the first.
Shape with_rows(const Shape& shape, Shape front) {
  front.insert(front.end(), shape.begin() + 1, shape.end());
  return front;
}

/// What a memory holds, or numbers of that shape where it holds nothing.
Value recalled(const State& state, const std::string& name, Shape shape, double otherwise,
               Placement placement) {
  const Value known = state.recall(kMemory + name);
  return known.defined() ? known : Value(Tensor::full(std::move(shape), otherwise, placement));
}

/// 1 of chains that remember no call, [N].
Value new_chains(const State& state) { return step(0.5 - state.recall(kMemory + "calls")); }

/// [1, count]: 1 at odd places.
Value odd_places(Index count, Placement placement) {
  std::vector<double> odd;
  for (Index k = 0; k < count; ++k) odd.push_back(static_cast<double>(k % 2));
  return Tensor::from(odd, {1, count}, placement);
}

/// Which neighbours swap, [N, K - 1] of 0 and 1, from log probabilities and the turn of each chain, [N]: 0 of
/// pairs with even k, 1 of odd.
Value swaps_of(const Value& log_ratio, const Value& turn, Key key, Index first_chain) {
  const Index pairs = log_ratio.dim(1), chains = log_ratio.dim(0);
  const Value odd = odd_places(pairs, log_ratio.placement()), mine = reshape(turn, {chains, 1});
  const Value drawn = accepted(reshape(log_ratio, {chains * pairs}), key, first_chain * pairs);
  return reshape(drawn, {chains, pairs}) * (mine * odd + (1.0 - mine) * (1.0 - odd));
}

/// Where each row gets its state from, [N, K] numbers of rows.
Value origins(const Value& swaps) {
  const Index chains = swaps.dim(0), replicas = swaps.dim(1) + 1;
  const Value none = Tensor::zeros({chains, 1}, swaps.placement());
  return reshape(counting(chains * replicas, swaps.placement()), {chains, replicas}) +
         concat({swaps, none}, 1) - concat({none, swaps}, 1);
}

/// Notes who has been where: 1 since it was at the last temperature, 2 since it was at the first after that.
void count_round_trips(State& state, const Value& labels, const Value& trips) {
  const Index last = labels.dim(1) - 1;
  const Value hot = slice(labels, 1, 0, 1), cold = slice(labels, 1, last, last + 1);
  const Value home = 0.5 * cold * (cold - 1.0);
  state.remember(kMemory + "labels",
                 concat({hot + hot * (2.0 - hot), slice(labels, 1, 1, last), ones_like(cold)}, 1));
  state.remember(kMemory + "round_trips", trips + reshape(home, {labels.dim(0)}));
}

/// What the transition remembers of replicas [begin, end), as rows.
State inner_memory(const State& state, Index begin, Index end) {
  State inner;
  for (const auto& [name, value] : state.memory()) {
    if (!name.starts_with(kInner)) continue;
    const Value part = slice(value, 1, begin, end);
    Shape shape(part.shape().begin() + 1, part.shape().end());
    shape.front() *= part.dim(0);
    inner.remember(name.substr(kInner.size()), reshape(part, std::move(shape)));
  }
  return inner;
}

/// The ladder with gaps that widen where swaps are likelier than on average.
Value adapted(const Value& ladder, const Value& log_ratio, const Value& rate) {
  const Index replicas = ladder.dim(1), pairs = replicas - 1, chains = ladder.dim(0);
  const Value chance = exp(minimum(log_ratio, zeros_like(log_ratio)));
  const Value gaps = slice(ladder, 1, 1, replicas) - slice(ladder, 1, 0, pairs);
  const Value wish = log(gaps) + reshape(rate, {chains, 1}) * (chance - mean(chance, {1}, {.keep = true}));
  const Value lowest = slice(ladder, 1, 0, 1);
  std::vector<double> below(static_cast<std::size_t>(pairs * (pairs - 1)), 0.0);
  for (Index k = 0; k < pairs; ++k) {
    for (Index j = k; j + 1 < pairs; ++j) below[static_cast<std::size_t>(k * (pairs - 1) + j)] = 1.0;
  }
  if (pairs == 1) return ladder;
  const Value sums = matmul(softmax(wish), Tensor::from(below, {pairs, pairs - 1}, ladder.placement()));
  return concat({lowest, lowest + (1.0 - lowest) * sums, ones_like(lowest)}, 1);
}

}  // namespace

std::vector<double> even_ladder(double hottest, Index count) {
  if (count < 2 || !(hottest >= 0.0 && hottest < 1.0)) {
    throw Error(fmt::format(
        "[even_ladder] expected at least 2 temperatures from one in [0, 1) up to 1, received {} from {}",
        count, hottest));
  }
  std::vector<double> ladder;
  for (Index k = 0; k + 1 < count; ++k)
    ladder.push_back(hottest + (1.0 - hottest) * static_cast<double>(k) / static_cast<double>(count - 1));
  ladder.push_back(1.0);
  return ladder;
}

std::vector<double> geometric_ladder(double hottest, Index count) {
  if (count < 2 || !(hottest > 0.0 && hottest < 1.0)) {
    throw Error(fmt::format(
        "[geometric_ladder] expected at least 2 temperatures from one in (0, 1) up to 1, received "
        "{} from {}",
        count, hottest));
  }
  std::vector<double> ladder;
  for (Index k = 0; k + 1 < count; ++k)
    ladder.push_back(std::pow(hottest, 1.0 - static_cast<double>(k) / static_cast<double>(count - 1)));
  ladder.push_back(1.0);
  return ladder;
}

ParallelTempering::ParallelTempering(std::shared_ptr<const Transition> transition,
                                     ParallelTemperingOptions options)
    : transition_(std::move(transition)), options_(std::move(options)) {
  if (transition_ == nullptr)
    throw Error("[ParallelTempering] expected a transition, received a null pointer");
  const std::vector<double>& ladder = options_.ladder;
  bool rises = ladder.size() >= 2 && ladder.front() >= 0.0 && ladder.back() == 1.0;
  for (std::size_t k = 1; rises && k < ladder.size(); ++k) rises = ladder[k] > ladder[k - 1];
  if (!rises) {
    throw Error(
        fmt::format("[ParallelTempering] expected at least two inverse temperatures that rise from 0 or more "
                    "to 1, received {{{}}}; use even_ladder or geometric_ladder",
                    fmt::join(ladder, ", ")));
  }
  if (options_.moves < 1 || options_.burn_in < 0) {
    throw Error(fmt::format("[ParallelTempering] expected moves >= 1 and a burn-in >= 0, received {} and {}",
                            options_.moves, options_.burn_in));
  }
}

Rules ParallelTempering::rules(const FactorGraph& graph) const {
  const std::vector<Block>* blocks = transition_->gibbs_blocks();
  if (options_.fuse != Fuse::Auto || blocks == nullptr || !is_tempered_bipartite(graph, *blocks)) return {};
  return {"tempered_bipartite"};
}

Block ParallelTempering::remembered() const {
  Block kept = moves();
  if (const std::vector<Block>* blocks = transition_->gibbs_blocks(); blocks != nullptr && blocks->size() > 1)
    std::erase_if(kept, [&](const Variable& variable) { return contains(blocks->front(), variable); });
  return kept;
}

State ParallelTempering::gathered_replicas(const FactorGraph& graph, const State& state) const {
  const Index chains = state.batch(), count = replicas();
  const Block moved = moves();
  State others = state.like();
  for (const Variable& variable : graph.variables()) {
    if (state.has(variable) && !contains(moved, variable)) others.set(variable, state[variable]);
  }
  State all = replicated(graph, others, count);
  for (const Variable& variable : remembered()) {
    const Value x = state[variable].detached(), hotter = state.recall(held(variable));
    if (!hotter.defined()) {
      all.set(variable, replicated(x, count));
      continue;
    }
    if (hotter.shape() != with_rows(x.shape(), {chains, count - 1})) {
      throw Error(fmt::format(
          "[ParallelTempering] expected {} remembered replicas of {}, received {}; begin "
          "from a state without memory",
          to_string(with_rows(x.shape(), {chains, count - 1})), variable.name, to_string(hotter.shape())));
    }
    // Beside clamped variables some chains may be new among others that are not: their memory is 0.
    const Value begun =
        others.empty() ? hotter
                       : choose(new_chains(state), reshape(replicated(x, count - 1), hotter.shape()), hotter);
    all.set(variable, reshape(concat({begun, reshape(x, with_rows(x.shape(), {chains, 1}))}, 1),
                              with_rows(x.shape(), {chains * count})));
  }
  const State inner = inner_memory(state, 0, count);
  for (const auto& [name, value] : inner.memory()) all.remember(name, value);
  return all;
}

Value ParallelTempering::ladder_of(const State& state, Index chains, Placement placement) const {
  const Value given =
      broadcast_to(Tensor::from(options_.ladder, {1, replicas()}, placement), {chains, replicas()});
  const Value known = state.recall(kMemory + "ladder");
  return known.defined() ? choose(new_chains(state), given, known) : given;
}

State ParallelTempering::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Index chains = state.batch(), count = replicas(), pairs = count - 1;
  State all = gathered_replicas(graph, state);
  const Placement placement = all.placement();
  const Value ladder = ladder_of(state, chains, placement), scales = reshape(ladder, {chains * count});
  const Key moving = key.fold("move");
  Value energy;
  if (rules(graph).empty()) {
    all = iterate(*transition_, tempered(graph, scales), all, options_.moves, moving);
    energy = graph.energy_touching(moves(), all).detached();
  } else {
    TemperedSweeps swept =
        *tempered_gibbs(graph, *transition_->gibbs_blocks(), all, scales, options_.moves, moving);
    all = std::move(swept.state);
    energy = swept.energy;
  }

  energy = reshape(energy, {chains, count});
  const Value log_ratio = (slice(ladder, 1, 0, pairs) - slice(ladder, 1, 1, count)) *
                          (slice(energy, 1, 0, pairs) - slice(energy, 1, 1, count));
  const Value turn = recalled(state, "turn", {chains}, 0.0, placement);
  const Value swaps = swaps_of(log_ratio, turn, key.fold("swap"), state.context().own_row());
  const Value from = origins(swaps);

  State moved = state;
  const Value hotter = slice(from, 1, 0, pairs), coldest = slice(from, 1, pairs, count);
  for (const Variable& variable : moves()) moved.set(variable, rows_at(all[variable], coldest));
  for (const Variable& variable : remembered()) {
    const Value& x = all[variable];
    moved.remember(held(variable), reshape(rows_at(x, hotter), with_rows(x.shape(), {chains, pairs})));
  }
  for (const auto& [name, value] : all.memory())
    moved.remember(kInner + name, reshape(value, with_rows(value.shape(), {chains, count})));
  moved.remember(kMemory + "turn", 1.0 - turn);
  const Value labels = recalled(state, "labels", {chains, count}, 0.0, placement);
  count_round_trips(moved, reshape(rows_at(reshape(labels, {chains * count}), from), {chains, count}),
                    recalled(state, "round_trips", {chains}, 0.0, placement));
  const Value calls = recalled(state, "calls", {chains}, 0.0, placement);
  moved.remember(kMemory + "swaps", recalled(state, "swaps", {chains, pairs}, 0.0, placement) + swaps);
  moved.remember(kMemory + "calls", calls + 1.0);
  if (options_.burn_in > 0) {
    const Value early = reshape(step(static_cast<double>(options_.burn_in) - calls), {chains, 1});
    const Value next = adapted(ladder, log_ratio, exp(-0.6 * log1p(calls)));
    moved.remember(kMemory + "ladder", early * next + (1.0 - early) * ladder);
  }
  return moved;
}

Index ParallelTempering::adapting(const State& state) const {
  const Value calls = state.recall(kMemory + "calls");
  const auto done = calls.defined() ? static_cast<Index>(-max(-calls, 0).item()) : Index{0};
  const Index inner = transition_->adapting(inner_memory(state, 0, replicas()));
  return std::max({Index{0}, options_.burn_in - done, (inner + options_.moves - 1) / options_.moves});
}

Info ParallelTempering::info(const State& after) const {
  const Index count = replicas(), pairs = count - 1;
  const Value swaps = after.recall(kMemory + "swaps"), calls = after.recall(kMemory + "calls");
  const Index chains = calls.dim(0);
  const Value turn =
      after.recall(kMemory + "turn");  // 1 after an odd number of calls, the last of even pairs
  const Value of_even = maximum(0.5 * (calls + turn), ones_like(calls)),
              of_odd = maximum(0.5 * (calls - turn), ones_like(calls));
  Info said;
  if (const State cold = inner_memory(after, pairs, count); !cold.memory().empty())
    said = transition_->info(cold);
  Value whole = zeros_like(calls);
  for (Index k = 0; k < pairs; ++k) {
    const Value share = reshape(slice(swaps, 1, k, k + 1), {chains}) / (k % 2 == 0 ? of_even : of_odd);
    said[fmt::format("swaps_{}", k)] = share;
    whole = whole + share / static_cast<double>(pairs);
  }
  said["swaps"] = whole;
  said["round_trips"] = after.recall(kMemory + "round_trips");
  if (const Value ladder = after.recall(kMemory + "ladder"); ladder.defined()) {
    for (Index k = 1; k < pairs; ++k)
      said[fmt::format("beta_{}", k)] = reshape(slice(ladder, 1, k, k + 1), {chains});
  }
  return said;
}

}  // namespace basin
