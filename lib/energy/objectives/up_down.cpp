#include "energy/objectives/up_down.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample/gibbs.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Mean of -log p(wanted | given) = E(wanted, given) - F(given), F with `wanted` summed out.
Value surprise(const FactorGraph& graph, const Variable& wanted, const Value& x, const Variable& given,
               const Value& condition, const State& like) {
  const State known = State(like).set(given, as_values(given, condition));
  return mean(graph.energy(known.with(wanted, as_values(wanted, x))) - free_energy(graph, {wanted}, known));
}

}  // namespace

UpDown::UpDown(DeepBelief net, Variable samples, Block labels, std::vector<Parameter> parameters,
               UpDownOptions options)
    : net_(std::move(net)),
      samples_(std::move(samples)),
      labels_(std::move(labels)),
      hidden_(net_.latents),
      parameters_(std::move(parameters)),
      options_(options) {
  require_fits(net_);
  for (const BeliefLayer& layer : net_.layers) {
    if (!layer.recognition) {
      throw Error(
          "[up_down] expected layers with a recognition of their own, received a tied one; give it a graph "
          "with parameters of its own");
    }
  }
  if (options_.steps < 1)
    throw Error(fmt::format("[up_down] expected steps >= 1, received {}; one is CD-1", options_.steps));
  std::erase_if(hidden_, [&](const Variable& latent) { return contains(labels_, latent); });
}

std::string UpDown::name() const { return fmt::format("up_down-{}", options_.steps); }

UpDown::Drawn UpDown::drawn(const State& batch, Key key) const {
  const State like = batch.like();
  const Variable& first = net_.samples();
  const State data = State(like).set(first, as_values(first, batch[samples_]));
  const std::vector<Value> x = ascend(net_, data, key.fold("wake"));

  State positive = State(like).set(net_.visible, as_values(net_.visible, x.back()));
  for (const Variable& label : labels_) positive.set(label, batch[label]);
  Block moved{net_.visible};
  moved.insert(moved.end(), labels_.begin(), labels_.end());
  const State negative = without_memory(net_.top, gibbs(net_.top, BlockGibbs({hidden_, moved}), positive,
                                                        options_.steps, key.fold("top"), options_.fuse));
  State fantasy = like;
  for (const Variable& variable : moved) fantasy.set(variable, negative[variable]);
  const std::vector<Value> y =
      descend(net_, fantasy[net_.visible], key.fold("sleep"), Bottom::Means, batch.context());
  return {like, positive, fantasy, x, y};
}

Value UpDown::loss(const Drawn& held) const {
  const auto& [like, positive, fantasy, x, y] = held;
  Value loss = mean(free_energy(net_.top, hidden_, positive)) - mean(free_energy(net_.top, hidden_, fantasy));
  for (std::size_t i = 0; i < net_.layers.size(); ++i) {
    const BeliefLayer& layer = net_.layers[i];
    loss = loss + surprise(layer.generation, layer.below, x[i], layer.above, x[i + 1], like) +
           surprise(layer.up(), layer.above, y[i + 1], layer.below, y[i], like);
  }
  return loss;
}

Evaluation UpDown::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                            EvaluateOptions options) const {
  std::vector<Parameter> all = graph.parameters();
  all.insert(all.end(), parameters_.begin(), parameters_.end());
  return differentiate(loss(drawn(batch, key)), all, batch.batch(), options);
}

HeldLoss UpDown::held_loss(const FactorGraph& /*graph*/, std::span<const State> batches,
                           const Carry& /*carry*/, Key key) const {
  return {.value = [this, held = drawn(batches.front(), key)] { return loss(held).item(); }};
}

}  // namespace basin
