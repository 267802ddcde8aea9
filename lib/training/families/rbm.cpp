#include "training/families/rbm.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"
#include "energy/objectives/exact_likelihood.h"
#include "energy/sample/block_gibbs.h"
#include "tensor/error.h"
#include "training/families/rbm_likelihood.h"
#include "training/families/rbm_pictures.h"
#include "training/pictures.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kEnumerated = 24;  // binary units: 2^24 states take seconds to minutes

Rbm make_rbm(const Plan& plan, const RbmSettings::Model& model, const Shape& sample_shape, Device device) {
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

std::unique_ptr<Objective> make_objective(const std::string& name,
                                          const ContrastiveDivergenceOptions& options, const Rbm& rbm) {
  if (name != "exact") {
    return std::make_unique<ContrastiveDivergence>(rbm.v, BlockGibbs({{rbm.h}, {rbm.v}}), options);
  }
  const bool hidden_smaller = rbm.h.size() <= rbm.v.size();
  const Variable& enumerated = hidden_smaller ? rbm.h : rbm.v;
  const Variable& marginal = hidden_smaller ? rbm.v : rbm.h;
  if (enumerated.size() > kEnumerated) {
    throw Error(
        fmt::format("[experiment] expected at most {} units on the smaller side for train.objective = "
                    "\"exact\", received {}; take "
                    "\"pcd\"",
                    kEnumerated, enumerated.size()));
  }
  return std::make_unique<ExactLikelihood>(Block{rbm.v}, Block{enumerated}, Block{marginal});
}

void read(const Config& config, Plan& plan) {
  const RbmSettings settings = read_rbm_settings(config, plan);
  plan.build = [settings](const Plan& all, const Shape& sample_shape, Device device) {
    return std::make_unique<RbmLearner>(all, settings, sample_shape, device);
  };
}

}  // namespace

FamilyKind rbm_family() { return {.name = "rbm", .plots = {"basis", "samples"}, .read = read}; }

RbmLearner::RbmLearner(const Plan& plan, const RbmSettings& settings, const Shape& sample_shape,
                       Device device)
    : settings_(settings),
      objective_name_(plan.train.objective),
      scale_(plan.data.scale),
      threshold_(plan.data.threshold),
      key_(plan.seed),
      rbm_(make_rbm(plan, settings.model, sample_shape, device)),
      objective_(make_objective(objective_name_, settings.train, rbm_)) {}

Source RbmLearner::make_source(const Samples& samples, PixelScale scale) const {
  return source(rbm_.v, samples, {.scale = scale, .threshold = threshold_}, rbm_.graph.placement());
}

Source RbmLearner::batches(const Dataset& data) const { return make_source(data.train, scale_); }

Source RbmLearner::evaluation_source(const Samples& samples) const {
  return make_source(samples, settings_.evaluate.scale);
}

void RbmLearner::start(const Dataset& data, const Say& /*say*/) {
  if (!settings_.model.bias_from_data) {
    return;
  }
  const Tensor bias = mean_bias(rbm_, batches(data), key_.fold("bias"));
  for (const Parameter& parameter : rbm_.graph.parameters()) {
    if (parameter.name() == rbm_.v.name + ".bias") {
      parameter.tensor().copy_from(bias);
    }
  }
}

Monitor RbmLearner::monitor(const Dataset& data) const {
  constexpr Index kMonitored = 1000;  // samples
  if (objective_name_ == "exact") {
    return {};  // the loss itself says all
  }
  const auto head = [&](const Samples& samples, const char* name) {
    const Source all = evaluation_source(samples);
    return samples_between(all, 0, std::min(all.count(), kMonitored), key_.fold("evaluate").fold(name));
  };
  return [this, train = head(data.train, "train"), test = head(data.test, "test")](Index /*epoch*/) {
    std::map<std::string, double> metrics;
    if (settings_.model.visible == UnitKind::Binary) {
      // The same bits are flipped at every epoch: curves show the model's change, not that of the draw.
      const Key key = key_.fold("monitor");
      metrics["pseudo_likelihood_train"] =
          pseudo_likelihood(rbm_.graph, rbm_.v, {rbm_.h}, train, key.fold("train"));
      metrics["pseudo_likelihood_test"] =
          pseudo_likelihood(rbm_.graph, rbm_.v, {rbm_.h}, test, key.fold("test"));
    } else {
      metrics["free_energy_train"] = mean_free_energy(rbm_.graph, {rbm_.h}, train);
      metrics["free_energy_test"] = mean_free_energy(rbm_.graph, {rbm_.h}, test);
    }
    return metrics;
  };
}

std::string RbmLearner::evaluate(const Dataset& data, const Carry& carry, Store& store,
                                 const Say& say) const {
  const RbmSettings::Evaluate& evaluate = settings_.evaluate;
  if (evaluate.log_likelihood == "none") {
    return "";
  }
  if (say) {
    say(evaluate.log_likelihood == "exact"
            ? std::string("exact log-likelihood by enumeration")
            : fmt::format("log-likelihood by annealed importance sampling: {} chains, {} temperatures",
                          evaluate.chains, evaluate.temperatures));
  }
  const LikelihoodReport report = log_likelihood(*this, data, carry);
  write(report, store);
  return describe(report);
}

void RbmLearner::draw(const Drawing& drawing, const DataSupply& /*data*/, const Carry& carry) const {
  TileOptions tiles = sized(drawing.tiles, rbm_.v.shape);
  if (drawing.plot == "basis") {
    save_png(tile(basis(rbm_), tiles), drawing.path);
  } else if (drawing.plot == "samples") {
    tiles.is_signed = settings_.model.visible == UnitKind::Gaussian;
    tiles.sort_by_norm = false;
    save_png(tile(fantasies(*this, carry), tiles), drawing.path);
  } else {
    throw Error(fmt::format("[draw] expected basis or samples, received '{}'", drawing.plot));
  }
}

Tensor mean_bias(const Rbm& rbm, const Source& samples, Key key) {
  Value sums;
  for (Index begin = 0; begin < samples.count(); begin += kChunk) {
    const State state = samples_between(samples, begin, std::min(begin + kChunk, samples.count()), key);
    const Value part = sum(flatten(state[rbm.v]), {0}).tensor().to(Dtype::F64);
    sums = sums.defined() ? sums + part : part;
  }
  return base_bias(rbm.graph, rbm.v, sums.tensor(), samples.count());
}

}  // namespace basin
