#include "energy/minimise/unroll/unroll.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/unroll/unroll_layers.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kWho = "unroll";

void check(const FactorGraph& graph, const Variable& from, const Variable& to, const UnrollOptions& options) {
  for (const Variable& variable : {from, to}) {
    if (!graph.has(variable)) {
      throw Error(
          fmt::format("[{}] variable {} is not of this graph; use the variables that the graph returned",
                      kWho, variable.name));
    }
  }
  if (from == to) throw Error(fmt::format("[{}] expected two variables, received {} twice", kWho, from.name));
  if (options.steps < 1)
    throw Error(fmt::format("[{}] expected steps >= 1, received {}", kWho, options.steps));
  const auto is_fraction = [](double x) { return x >= 0.0 && x <= 1.0; };
  if (!is_fraction(options.select) || !is_fraction(options.select_at_most) ||
      !is_fraction(options.inhibition)) {
    throw Error(fmt::format(
        "[{}] expected fractions in [0, 1] for select, select_at_most and inhibition, received {}, {} and {}",
        kWho, options.select, options.select_at_most, options.inhibition));
  }
  if (options.coupled && options.inhibition < 1.0) {
    throw Error(fmt::format(
        "[{}] expected either coupled weights, which have no matrix S, or inhibition < 1, received both",
        kWho));
  }
}

UnrolledLayers own_layers(const FactorGraph& graph, const Transition& transition, const Variable& from,
                          const Variable& to, const UnrollOptions& options) {
  const std::optional<ProximalScheme> scheme = transition.proximal();
  const bool steps = scheme && scheme->z == to && !scheme->accelerate;
  if (!steps && transition.coordinate() != to) {
    throw Error(fmt::format(
        "[{}] expected Ista or CoordinateDescent for parameters of its own, received {}; unroll it with "
        "Sharing::Graph",
        kWho, transition.name()));
  }
  if (steps ? options.last_shrink != LastShrink::All : options.select > 0.0 || options.inhibition < 1.0) {
    throw Error(
        fmt::format("[{}] select and inhibition are for Ista, last_shrink is for CoordinateDescent, received "
                    "them for {}; "
                    "leave them out",
                    kWho, transition.name()));
  }
  const Split split(graph, to);
  const UnrollQuadratic form = read_quadratic(split, graph, from);
  if (!steps) return unroll_layers(form, std::nullopt, from, to, options);
  State zeros;
  for (const Variable& variable : {from, to})
    zeros.set(variable, Tensor::zeros(batched(variable, 1), graph.placement()));
  const double step = scheme->step ? *scheme->step : lipschitz_step(split, zeros, Key(0).fold(kWho));
  return unroll_layers(form, step, from, to, options);
}

}  // namespace

State Unrolled::start(const Value& y) const {
  const Index samples = y.rank() > 0 ? y.dim(0) : 0;
  if (y.rank() < 1 || y.tensor().size() != samples * from_.size()) {
    throw Error(fmt::format("[{}] expected {} [N, {}], received {}; give one row a sample", kWho, from_.name,
                            to_string(from_.shape), to_string(y.shape())));
  }
  State state;
  state.set(from_, reshape(y, batched(from_, samples)));
  state.set(to_, Tensor::zeros(batched(to_, samples), y.placement()));
  return state;
}

Value Unrolled::forward(const Value& y, const Context&) const { return codes(y).back(); }

std::vector<Value> Unrolled::codes(const Value& y) const {
  std::vector<Value> codes;
  State state = start(y);
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    state = (*layers_[k])(graph_, state, Key(0).fold(kWho).fold(k));
    const Value code = state.recall(kCodeMemory);
    codes.push_back(code.defined() ? code : state[to_]);
  }
  return codes;
}

Unrolled Unrolled::first(Index steps) const {
  if (steps < 1 || steps > this->steps()) {
    throw Error(fmt::format("[{}] expected 1 to {} layers, received {}", kWho, this->steps(), steps));
  }
  Unrolled copy = *this;
  copy.layers_.resize(static_cast<std::size_t>(steps));
  return copy;
}

Unrolled unroll(const FactorGraph& graph, std::shared_ptr<const Transition> transition, const Variable& from,
                const Variable& to, const UnrollOptions& options) {
  check(graph, from, to, options);
  if (transition == nullptr)
    throw Error(fmt::format("[{}] expected a transition, received a null pointer", kWho));
  Unrolled net;
  net.graph_ = graph;
  net.from_ = from;
  net.to_ = to;
  if (options.sharing == Sharing::Graph) {
    net.layers_.assign(static_cast<std::size_t>(options.steps), std::move(transition));
    net.parameters_ = graph.parameters();
    return net;
  }
  UnrolledLayers own = own_layers(graph, *transition, from, to, options);
  net.layers_ = std::move(own.layers);
  net.parameters_ = std::move(own.parameters);
  return net;
}

}  // namespace basin
