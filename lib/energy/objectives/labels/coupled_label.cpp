#include "energy/objectives/labels/coupled_label.h"

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/probe.h"
#include "energy/objectives/contrast/persistent_chains.h"

namespace basin {
namespace {

State without_label(const State& batch, const Variable& label) {
  return batch.with(label, Tensor::zeros(batched(label, batch.batch()), batch.placement()));
}

}  // namespace

std::optional<CoupledLabel> recognise_coupled_label(const FactorGraph& graph, const Variable& label) {
  const auto others = [&](const Bilinear& pair) { return pair.left() == label ? pair.right() : pair.left(); };
  const std::vector<TermOf<Bilinear>> pairs = graph.factors<Bilinear>(label);
  const std::vector<TermOf<Bias>> biases = graph.factors<Bias>(label);
  if (pairs.empty() || pairs.size() + biases.size() != graph.touching(label).size()) return std::nullopt;
  CoupledLabel found{.h = others(*pairs.front().factor)};
  if (found.h.domain != Domain::Binary) return std::nullopt;
  const Index answers = label.shape[0], size = found.h.size();
  found.bias = Tensor::zeros({1, answers}, graph.placement());
  found.coupling = Tensor::zeros({1, answers, size}, graph.placement());
  for (const auto& [bias, weight] : biases)
    found.bias = found.bias + weight * reshape(bias->bias().value(), {1, answers});
  for (const auto& [pair, weight] : pairs) {
    if (!(others(*pair) == found.h)) return std::nullopt;
    const Value& own = pair->weight().value();
    const Value rows = pair->left() == label ? own : transpose(own, {1, 0});
    found.coupling = found.coupling + weight * reshape(rows, {1, answers, size});
  }
  return found;
}

bool holds_for(const CoupledLabel& pattern, const FactorGraph& graph, const Variable& label,
               const State& batch) {
  const State rest = without_label(batch, label);
  return missing(graph.variables(), rest) == Block{pattern.h} && stays_apart(graph, {pattern.h}, rest);
}

Value coupled_label_energies(const FactorGraph& graph, const Variable& label, const CoupledLabel& pattern,
                             const State& batch) {
  const Expansion at_zero = expand(graph, {pattern.h}, without_label(batch, label));
  const Index samples = at_zero.energy.dim(0);
  const Value input = reshape(at_zero.drive.front(), {samples, 1, pattern.h.size()});
  return reshape(at_zero.energy, {samples, 1}) - pattern.bias - sum(softplus(input + pattern.coupling), {2});
}

}  // namespace basin
