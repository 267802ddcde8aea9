#include "training/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/annealed_importance.h"
#include "energy/block_gibbs.h"
#include "energy/contrastive_divergence.h"
#include "energy/exact_likelihood.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kEnumerated = 24;  // binary units: 2^24 states take seconds to minutes

Source make_source(const Plan& plan, const Rbm& rbm, const Samples& samples, PixelScale scale) {
  return source(rbm.v, samples, {.scale = scale, .threshold = plan.data.threshold}, rbm.graph.placement());
}

}  // namespace

Dataset load_data(const Plan& plan) {
  Dataset data = load_dataset(plan.data.name, plan.data.options);
  if (plan.smoke) {
    data.train = data.train.head(std::min<Index>(data.train.count, std::max<Index>(plan.train.batch, 400)));
    data.test = data.test.head(std::min<Index>(data.test.count, 200));
  }
  if (plan.train.batch > data.train.count) {
    throw Error(fmt::format("[experiment] expected train.batch of at most the {} training samples, received {}; lower it", data.train.count,
                            plan.train.batch));
  }
  return data;
}

Rbm make_model(const Plan& plan, const Shape& sample_shape, Device device) {
  const Plan::Model& model = plan.model;
  Rbm rbm = basin::rbm({.visible = model.visible,
                        .hidden = model.hidden_units,
                        .visible_shape = sample_shape,
                        .hidden_units = model.hidden,
                        .hidden_group = model.hidden_group,
                        .weight_scale = model.weight_scale,
                        .key = Key(plan.seed).fold("model")});
  rbm.graph.to({plan.train.dtype, device});
  return rbm;
}

Tensor mean_bias(const Rbm& rbm, const Source& samples, Key key) {
  Value sums;
  for (Index begin = 0; begin < samples.count; begin += kChunk) {
    const State state = samples_between(samples, begin, std::min(begin + kChunk, samples.count), key);
    const Value part = sum(flatten(state[rbm.v]), {0}).tensor().to(Dtype::F64);
    sums = sums.defined() ? sums + part : part;
  }
  return base_bias(rbm.graph, rbm.v, sums.tensor(), samples.count);
}

void set_visible_bias(const Plan& plan, const Rbm& rbm, const Samples& train) {
  const Tensor bias = mean_bias(rbm, training_source(plan, rbm, train), Key(plan.seed).fold("bias"));
  for (const Parameter& parameter : rbm.graph.parameters()) {
    if (parameter.name() == rbm.v.name + ".bias") {
      parameter.tensor().copy_from(bias);
    }
  }
}

std::unique_ptr<Objective> make_objective(const Plan& plan, const Rbm& rbm) {
  if (plan.train.objective != "exact") {
    return std::make_unique<ContrastiveDivergence>(rbm.v, BlockGibbs({{rbm.h}, {rbm.v}}), plan.train.options);
  }
  const bool hidden_smaller = rbm.h.size() <= rbm.v.size();
  const Variable& enumerated = hidden_smaller ? rbm.h : rbm.v;
  const Variable& marginal = hidden_smaller ? rbm.v : rbm.h;
  if (enumerated.size() > kEnumerated) {
    throw Error(
        fmt::format("[experiment] expected at most {} units on the smaller side for train.objective = \"exact\", received {}; take "
                    "\"pcd\"",
                    kEnumerated, enumerated.size()));
  }
  return std::make_unique<ExactLikelihood>(Block{rbm.v}, Block{enumerated}, Block{marginal});
}

Source training_source(const Plan& plan, const Rbm& rbm, const Samples& samples) {
  return make_source(plan, rbm, samples, plan.data.scale);
}

Source evaluation_source(const Plan& plan, const Rbm& rbm, const Samples& samples) {
  return make_source(plan, rbm, samples, plan.evaluate.scale);
}

State samples_between(const Source& source, Index begin, Index end, Key key) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return source.batch(rows, key);
}

}  // namespace basin
