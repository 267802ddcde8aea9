#include "models/conv_rbm.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "config/belongs.h"
#include "config/reader.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample_ops.h"
#include "models/room.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/walk.h"

/// The kind "conv_rbm": a convolutional restricted Boltzmann machine with probabilistic max pooling, whose
/// codes are the probabilities of its pooling units, [maps, height, width].
namespace basin {
namespace {

struct Settings {
  ConvRbmOptions model{.key = Key(0)};
  ContrastiveDivergenceOptions train;
};

/// Biases of channels under which a unit has the mean of its channel: of bits log(p / (1 - p)), p smoothed by
/// one count; of Gaussian units, whose precision is 1 at first, the mean.
void start_biases(const ConvRbm& model, const Source& samples, Key key) {
  const Tensor bias = model.graph.parameter("v.bias").tensor();
  const Index channels = bias.dim(0);
  Value sums;
  double count = 0.0;
  walk_through(samples, samples.count(), key, [&](const State& state, Index) {
    const Value& v = state[model.v];
    const Index each = v.tensor().size() / (v.dim(0) * channels);
    const Value part = sum(sum(reshape(v, {v.dim(0), channels, each}), {2}), {0}).tensor().to(Dtype::F64);
    sums = sums.defined() ? sums + part : part;
    count += static_cast<double>(v.dim(0) * each);
  });
  const bool bits = model.v.domain == Domain::Binary;
  const Value found = bits ? log(sums + 1.0) - log((count + 1.0) - sums) : sums / count;
  bias.copy_from(found.tensor().to(bias.placement()));
}

/// v -> the probabilities that pooling units are on.
std::shared_ptr<const Module> encoder_of(const ConvRbm& model) {
  std::vector<Parameter> parameters{model.graph.parameter("h.bias"), model.graph.parameter("v.h.weight")};
  const auto forward = [model](const Value& x, const Context& context) {
    State state;
    state.in(context).set(model.v, as_values(model.v, x));
    const Conditional h = conditional(model.graph, {model.h}, state, {.differentiable = true}).front();
    return model.maps.pooled(h.mean());
  };
  return std::make_shared<const Function>(forward, std::move(parameters));
}

Stage build(const Settings& settings, const StageContext& context) {
  ConvRbmOptions options = settings.model;
  options.image = context.sample_shape;
  options.key = context.key.fold("model");
  const auto pixels = static_cast<double>(element_count(context.sample_shape));
  require_room(fmt::format("[conv_rbm] model.maps = {}", options.maps),
               static_cast<double>(options.maps) *
                   (pixels + static_cast<double>(options.size) * static_cast<double>(options.size)),
               context.placement);
  require_room(fmt::format("[conv_rbm] train.chains = {}", settings.train.chains),
               static_cast<double>(settings.train.chains) * static_cast<double>(options.maps + 1) * pixels,
               context.placement);
  const ConvRbm model = conv_rbm(options);
  model.graph.to(context.placement);

  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{"image", model.v}};
  stage.latents = {model.h};
  if (model.v.domain == Domain::Binary)
    stage.wants_unit_interval = "take model.visible = \"gaussian\", or scale them";
  stage.encoder = encoder_of(model);
  stage.objective = std::make_shared<const Contrast>(
      ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}}), settings.train));
  stage.start = [model, key = context.key.fold("bias")](const Source& samples, const Say& /*say*/) {
    start_biases(model, samples, key);
  };
  const Parameter weight = model.graph.parameter("v.h.weight");
  const Shape& filters = weight.tensor().shape();
  const Shape shown =
      filters[1] == 1 ? Shape{filters[2], filters[3]} : Shape{filters[1], filters[2], filters[3]};
  stage.facets.set(
      Dictionary{.atoms =
                     [weight] {
                       const Tensor& numbers = weight.tensor();
                       return numbers.reshaped({numbers.dim(0), numbers.size() / numbers.dim(0)});
                     },
                 .shape = shown});
  stage.pictures = [](const Preprocessing&) { return Preprocessing{}; };
  return stage;
}

}  // namespace

StageBuilder read_conv_rbm(StageTables& tables) {
  tables.plots = {"basis"};
  Settings settings;
  const Reader in(tables.config.table("model"));
  ConvRbmOptions& model = settings.model;
  model.visible = parse_unit_kind(in.table().choice("visible", {"binary", "gaussian"}, "binary"));
  model.maps = in.count("maps", 1);
  model.size = in.count("size", 1);
  model.pool = in.count("pool", 1, 2);
  model.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  model.hidden_bias = in.within("hidden_bias", -kInfinity, kInfinity, 0.0);
  const Reader train(tables.config.table("train"));
  tables.objective = train.table().choice("objective", {"cd", "pcd"}, "cd");
  settings.train.steps = train.count("steps", 1, 1);
  settings.train.persistent = tables.objective == "pcd";
  refuse_unless(settings.train.persistent, train.table(), {"chains"},
                "objective = \"pcd\", whose chains go on");
  if (settings.train.persistent) settings.train.chains = train.count("chains", 0, 0);
  if (model.visible == UnitKind::Gaussian) tables.learning_rate = 0.002;
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
