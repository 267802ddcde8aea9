#include "training/families/rbm_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "training/reader.h"

namespace basin {
namespace {

RbmSettings::Model read_model(const Config& config) {
  const Reader in(config.table("model"));
  RbmSettings::Model model;
  model.visible = parse_unit_kind(in.table().choice("visible", {"binary", "gaussian", "relu"}, "binary"));
  model.hidden_units =
      parse_unit_kind(in.table().choice("hidden_units", {"binary", "gaussian", "relu", "softmax"}, "binary"));
  model.hidden = in.count("hidden", 1);
  if (model.hidden_units == UnitKind::Softmax) {
    model.hidden_group = in.count("hidden_group", 2, 2);
    if (model.hidden % model.hidden_group != 0) {
      in.table().fail("hidden_group", fmt::format("expected a divisor of hidden = {}, received {}",
                                                  model.hidden, model.hidden_group));
    }
  }
  model.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  model.bias_from_data = in.table().choice("visible_bias", {"data", "zero"}, "data") == "data";
  return model;
}

ContrastiveDivergenceOptions read_train(const Config& config, Plan::Train& train) {
  const Reader in(config.table("train"));
  ContrastiveDivergenceOptions options;
  train.objective = in.table().choice("objective", {"cd", "pcd", "fpcd", "exact"}, "cd");
  options.steps = in.count("steps", 1, 1);
  options.persistent = train.objective == "pcd" || train.objective == "fpcd";
  if (options.persistent) {
    options.chains = in.count("chains", 0, 0);
  }
  if (train.objective == "fpcd") {
    options.fast_rate = in.positive("fast_rate");
  }
  options.centring = in.within("centring", 0.0, 1.0, 0.0);
  options.offsets =
      in.table().choice("offsets", {"data", "average"}, "data") == "data" ? Offsets::Data : Offsets::Average;
  const Reader sparsity(in.table().table("sparsity"));
  options.sparsity.target = sparsity.within("target", 0.0, 1.0, 0.0);
  options.sparsity.cost = sparsity.within("cost", 0.0, kInfinity, 0.0);
  options.fuse = train.fuse =
      in.table().choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
  return options;
}

RbmSettings::Evaluate read_evaluate(const Config& config, const RbmSettings::Model& model,
                                    PixelScale data_scale) {
  const Reader in(config.table("evaluate"));
  RbmSettings::Evaluate evaluate;
  evaluate.log_likelihood = in.table().choice("log_likelihood", {"ais", "exact", "none"}, "ais");
  // A likelihood is one of the values the visible units can take: binary units need bits.
  const bool bits_needed = model.visible == UnitKind::Binary && data_scale == PixelScale::Unit;
  const std::string as_data = data_scale == PixelScale::Unit        ? "unit"
                              : data_scale == PixelScale::Threshold ? "threshold"
                                                                    : "stochastic";
  evaluate.scale = read_scale(in.table(), "scale", bits_needed ? "stochastic" : as_data);
  const Reader ais(in.table().table("ais"));
  evaluate.chains = ais.count("chains", 1, 100);
  evaluate.temperatures = ais.count("temperatures", 3, 1000);
  evaluate.three_part = ais.table().choice("ladder", {"uniform", "three_part"}, "uniform") == "three_part";
  evaluate.reverse = ais.table().boolean("reverse", true);
  evaluate.burn_in = ais.count("burn_in", 0, 1000);
  return evaluate;
}

void shrink(RbmSettings& settings) {
  const auto cut = [](Index& value, Index most) { value = std::min(value, most); };
  cut(settings.evaluate.chains, 20);
  cut(settings.evaluate.temperatures, 50);
  cut(settings.evaluate.burn_in, 10);
  cut(settings.sample_chains, 20);
  cut(settings.sample_steps, 20);
}

}  // namespace

RbmSettings read_rbm_settings(const Config& config, Plan& plan) {
  RbmSettings settings;
  settings.model = read_model(config);
  settings.train = read_train(config, plan.train);
  settings.evaluate = read_evaluate(config, settings.model, plan.data.scale);
  const Reader results(config.table("results"));
  settings.sample_chains = results.count("sample_chains", 1, 100);
  settings.sample_steps = results.count("sample_steps", 0, 1000);
  if (plan.smoke) {
    shrink(settings);
  }
  return settings;
}

}  // namespace basin
