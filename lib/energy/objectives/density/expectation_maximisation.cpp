#include "energy/objectives/density/expectation_maximisation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/gaussian_components.h"
#include "energy/marginal/conditional.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kUnused = 1e-8;  // weight below which a component's own statistics say nothing

const GaussianComponents& components_of(const FactorGraph& graph) {
  const auto found = graph.factors<GaussianComponents>();
  if (graph.terms().size() == 1 && found.size() == 1 && found.front().weight == 1.0)
    return *found.front().factor;
  throw Error("[em] expected a graph of one GaussianComponents, received another; train it by gradients");
}

}  // namespace

ExpectationMaximisation::ExpectationMaximisation(ExpectationMaximisationOptions options) : options_(options) {
  if (!(options_.rate > 0.0 && options_.rate <= 1.0) || !(options_.least_variance > 0.0)) {
    throw Error(fmt::format("[em] expected a rate in (0, 1] and a least variance > 0, received {} and {}",
                            options_.rate, options_.least_variance));
  }
}

Evaluation ExpectationMaximisation::evaluate(const FactorGraph& graph, const State& batch, Carry& carry,
                                             Key /*key*/, EvaluateOptions options) const {
  const GaussianComponents& mixture = components_of(graph);
  const Index rows = batch.batch();
  const Value x = flatten(batch[mixture.observed()]).detached().tensor().to(Dtype::F64);
  const State given = State().in(batch.context()).set(mixture.observed(), batch[mixture.observed()]);
  const Value q =
      flatten(conditional(graph, {mixture.code()}, given).front().mean()).detached().tensor().to(Dtype::F64);
  const double each = 1.0 / static_cast<double>(rows);
  std::vector<Tensor> now = {(sum(q, {0}) * each).tensor(),
                             (matmul(q, x, {.transpose_a = true}) * each).tensor(),
                             (matmul(q, square(x), {.transpose_a = true}) * each).tensor()};
  if (options.reduce) options.reduce(now, rows);
  const std::vector<std::string> names = {"em.weight", "em.mean", "em.square"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Tensor before = recall(carry, names[i], now[i].shape(), now[i].placement());
    carry[names[i]] =
        before.defined()
            ? ((1.0 - options_.rate) * Value(before) + options_.rate * Value(now[i])).tensor().clone()
            : now[i].clone();
  }
  Evaluation evaluation;
  evaluation.gradients.resize(graph.parameters().size());
  if (options.metrics) evaluation.metrics["loss"] = mean(free_energy(graph, {mixture.code()}, given)).item();
  return evaluation;
}

void ExpectationMaximisation::finish_step(const FactorGraph& graph, const State& /*batch*/, Carry& carry,
                                          Key /*key*/, const std::vector<bool>& wants) const {
  const GaussianComponents& mixture = components_of(graph);
  const std::vector<double> weight = carry.at("em.weight").values(), first = carry.at("em.mean").values(),
                            second = carry.at("em.square").values();
  std::vector<double> logits, mean = mixture.mean().tensor().values(),
                              precision = mixture.log_precision().tensor().values();
  const std::size_t size = mean.size() / weight.size();
  for (std::size_t k = 0; k < weight.size(); ++k) {
    logits.push_back(std::log(std::max(weight[k], kUnused)));
    for (std::size_t i = k * size; weight[k] > kUnused && i < (k + 1) * size; ++i) {
      mean[i] = first[i] / weight[k];
      precision[i] = -std::log(std::max(second[i] / weight[k] - mean[i] * mean[i], options_.least_variance));
    }
  }
  const auto put = [&](const Parameter& parameter, const std::vector<double>& numbers) {
    const std::size_t at = graph.index_of(parameter);
    if (at < wants.size() && !wants[at]) return;
    const Tensor& own = parameter.tensor();
    own.copy_from(Tensor::from(numbers, own.shape(), own.placement()));
  };
  put(mixture.logits(), logits), put(mixture.mean(), mean), put(mixture.log_precision(), precision);
}

}  // namespace basin
