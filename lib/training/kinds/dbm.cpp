#include "models/dbm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample_ops.h"
#include "models/room.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/dictionary.h"
#include "training/fit.h"
#include "training/kinds/kind.h"
#include "training/latent_encoders.h"
#include "training/measures/mean_field_bound.h"
#include "training/measures/sampling.h"
#include "training/optimizers/sgd.h"

/// The kind "dbm": a deep Boltzmann machine of bits, layers trained by themselves first, then all of them
/// together by mean field and persistent chains.
namespace basin {
namespace {

constexpr Index kEnumerated = 24;  // binary units: 2^24 states take seconds to minutes

/// How layers are trained by themselves.
struct Pretraining {
  Index epochs = 0, batch = 100, steps = 1;
  double learning_rate = 0.05, weight_decay = 0.0, momentum = 0.0;
};

struct Settings {
  std::vector<Index> layers;
  double weight_scale = 0.01;
  Index encoder_updates = 1;
  Index mean_field = 10, steps = 1, chains = 100;
  bool warm = true;
  ContrastOptions train;
  Pretraining pretraining;
  Likelihood annealing;
  Index bound_updates = 50;
  Sampling sampling;
};

void read_model(const Config& config, Settings& settings) {
  const Reader in(config.table("model"));
  for (const double size : in.table().numbers("layers")) {
    if (size < 1.0 || size != std::floor(size) || size > static_cast<double>(kMostCounted))
      in.table().fail("layers", fmt::format("expected whole numbers of units, received {}", size));
    settings.layers.push_back(static_cast<Index>(size));
  }
  if (settings.layers.size() < 2) {
    in.table().fail("layers", fmt::format("expected two layers or more, received {}; one is a model.kind rbm",
                                          settings.layers.size()));
  }
  settings.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  settings.encoder_updates = in.count("encoder_updates", 0, 1);
}

void read_train(StageTables& tables, Settings& settings) {
  const Reader in(tables.config.table("train"));
  tables.objective = in.table().choice("objective", {"pcd"}, "pcd");
  settings.steps = in.count("steps", 1, 1);
  settings.chains = in.count("chains", 1, 100);
  settings.mean_field = in.count("mean_field", 1, 10);
  settings.warm = in.table().boolean("warm", true);
  ContrastOptions& train = settings.train;
  train.centring = in.within("centring", 0.0, 1.0, 0.0);
  train.offsets =
      in.table().choice("offsets", {"data", "average"}, "data") == "data" ? Offsets::Data : Offsets::Average;
  const Reader sparsity(in.table().table("sparsity"));
  train.sparsity.target = sparsity.within("target", 0.0, 1.0, 0.0);
  train.sparsity.cost = sparsity.within("cost", 0.0, kInfinity, 0.0);
  train.fuse = tables.fuse = read_fuse(in.table());
  const Reader pre(in.table().table("pretrain"));
  Pretraining& own = settings.pretraining;
  own.epochs = pre.count("epochs", 0, 0);
  own.batch = pre.count("batch", 1, 100);
  own.steps = pre.count("steps", 1, 1);
  own.learning_rate = pre.positive("learning_rate", 0.05);
  own.weight_decay = pre.within("weight_decay", 0.0, kInfinity, 0.0);
  own.momentum = pre.within("momentum", 0.0, 1.0, 0.0);
  if (tables.smoke) own.epochs = std::min<Index>(own.epochs, 1);
}

/// W'x + c of a layer, of values and weights with history.
Value logits(const Value& x, const FactorGraph& graph, const std::string& weight, double scale) {
  return scale * matmul(x, graph.parameter(weight).value());
}

/// x -> the means of the highest layer: up with doubled weights wherever a layer lies above, which stands
/// for what that layer is going to say, then some updates of mean field from the lowest layer to the highest.
std::shared_ptr<const Module> encoder_of(const Dbm& model, Index updates) {
  std::vector<Parameter> parameters = model.graph.parameters();
  std::erase_if(parameters, [](const Parameter& own) { return own.name() == "v.bias"; });
  const auto forward = [model, updates](const Value& x, const Context&) {
    const FactorGraph& graph = model.graph;
    const std::size_t count = model.h.size();
    std::vector<std::string> weights;
    std::vector<Value> biases, means;
    for (std::size_t l = 0; l < count; ++l) {
      weights.push_back((l == 0 ? "v" : model.h[l - 1].name) + "." + model.h[l].name + ".weight");
      biases.push_back(reshape(graph.parameter(model.h[l].name + ".bias").value(), {1, model.h[l].size()}));
    }
    const Value sent = logits(flatten(x), graph, weights[0], 1.0);  // the same at every update
    for (std::size_t l = 0; l < count; ++l) {
      const double scale = l + 1 < count ? 2.0 : 1.0;
      const Value below = l == 0 ? scale * sent : logits(means.back(), graph, weights[l], scale);
      means.push_back(sigmoid(below + biases[l]));
    }
    for (Index i = 0; i < updates; ++i) {
      for (std::size_t l = 0; l < count; ++l) {
        Value input = (l == 0 ? sent : logits(means[l - 1], graph, weights[l], 1.0)) + biases[l];
        if (l + 1 < count)
          input =
              input + matmul(means[l + 1], graph.parameter(weights[l + 1]).value(), {.transpose_b = true});
        means[l] = sigmoid(input);
      }
    }
    return means.back();
  };
  return std::make_shared<const Function>(forward, std::move(parameters));
}

/// Batches for layer l: bits of the data, sent up through the layers below it, which are drawn; copies of the
/// visible units hold what these hold.
Source batches_for(const Source& samples, const std::vector<DbmLayer>& below, const DbmLayer& layer,
                   const Variable& v) {
  return Source(samples.count(), [=](std::span<const Index> rows, Key key) {
    State state = samples.batch(rows, key.fold("pixels"));
    Value x = flatten(state[v]);
    for (std::size_t l = 0; l < below.size(); ++l) {
      const DbmLayer& under = below[l];
      const double scale = under.visible.size() == 2 ? 2.0 : 1.0;
      const Value bias = reshape(under.graph.parameter("h.bias").value(), {1, under.h.size()});
      const Value mean = sigmoid(logits(x.detached(), under.graph, "v.h.weight", scale) + bias);
      x = Value(bernoulli(key.fold(l), mean.detached().tensor()));
    }
    State batch;
    for (const Variable& visible : layer.visible) batch.set(visible, as_values(visible, x));
    return batch;
  });
}

void pretrain(const Dbm& model, const Settings& settings, const Source& samples, Key key, const Say& say) {
  const Pretraining& how = settings.pretraining;
  if (samples.count() < how.batch) {
    throw Error(
        fmt::format("[dbm] expected train.pretrain.batch of at most the {} samples, received {}; lower it",
                    samples.count(), how.batch));
  }
  std::vector<DbmLayer> layers;
  Shape shape = model.v.shape;
  for (std::size_t l = 0; l < settings.layers.size(); ++l) {
    const Twice twice = l == 0                            ? Twice::Visible
                        : l + 1 == settings.layers.size() ? Twice::Hidden
                                                          : Twice::Neither;
    const Key own = key.fold(l);
    const DbmLayer layer =
        dbm_layer(shape, settings.layers[l], twice, settings.weight_scale, own.fold("model"));
    layer.graph.to(model.graph.placement());
    const Source batches = batches_for(samples, layers, layer, model.v);
    if (l == 0) {
      layer.graph.parameter("v.bias").tensor().copy_from(
          mean_bias(model.graph, model.v, samples, own.fold("bias")));
    } else {
      layer.graph.parameter("v.bias").tensor().copy_from(layers.back().graph.parameter("h.bias").tensor());
    }
    if (say) {
      say(fmt::format("pretraining of layer {} of {}: {} epochs of CD-{}", l + 1, settings.layers.size(),
                      how.epochs, how.steps));
    }
    Sgd optimizer({.learning_rate = Schedule::linear(how.learning_rate),
                   .momentum = how.momentum,
                   .weight_decay = how.weight_decay});
    FitState state;
    fit(layer.graph,
        ContrastiveDivergence(layer.visible, BlockGibbs({layer.hidden, layer.visible}),
                              {.steps = how.steps, .fuse = settings.train.fuse}),
        {batches}, optimizer,
        {.epochs = how.epochs,
         .batch = how.batch,
         .key = own.fold("fit"),
         .metrics_every = std::max<Index>(1, batches.count() / how.batch / 4),
         .stage = fmt::format("pretraining {}", l + 1)},
        state, [&](const FitReport& report) {
          if (say && report.epoch_ended && report.epoch % 5 == 0) {
            say(fmt::format("  epoch {}: loss {:.4g}", report.epoch,
                            report.history->steps().columns.at("loss").back()));
          }
          return true;
        });
    layers.push_back(layer);
    shape = {settings.layers[l]};
  }
  compose(model, layers);
}

void require_room_for(const Settings& settings, const StageContext& context) {
  const auto visible = static_cast<double>(element_count(context.sample_shape));
  double below = visible, weights = 0.0, units = visible;
  for (const Index size : settings.layers) {
    weights += below * static_cast<double>(size);
    units += static_cast<double>(size);
    below = static_cast<double>(size);
  }
  const auto require = [&](const char* key, Index count, double numbers) {
    require_room(fmt::format("[dbm] {} = {}", key, count), numbers, context.placement);
  };
  require("the largest of model.layers", *std::ranges::max_element(settings.layers), weights);
  for (const auto& [key, chains] : {std::pair{"train.chains", settings.chains},
                                    std::pair{"evaluate.ais.chains", settings.annealing.chains},
                                    std::pair{"results.sample_chains", settings.sampling.chains}})
    require(key, chains, static_cast<double>(chains) * units);
}

void require_enumerable(const Settings& settings, const Dbm& model) {
  const auto size = [](const Block& block) {
    Index units = 0;
    for (const Variable& layer : block) units += layer.size();
    return units;
  };
  const Index smaller = std::min(size(model.even()), size(model.odd()));
  if (settings.annealing.method != "exact" || smaller <= kEnumerated) return;
  throw Error(
      fmt::format("[dbm] expected at most {} units in every other layer for evaluate.log_likelihood = "
                  "\"exact\", received {}; take \"ais\"",
                  kEnumerated, smaller));
}

Stage build(const Settings& settings, const StageContext& context) {
  if (context.sample_shape.empty())
    throw Error("[dbm] expected samples of several numbers, received one number a sample");
  require_room_for(settings, context);
  const Dbm model = dbm({.visible_shape = context.sample_shape,
                         .layers = settings.layers,
                         .weight_scale = settings.weight_scale,
                         .key = context.key.fold("model")});
  model.graph.to(context.placement);
  require_enumerable(settings, model);

  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{"image", model.v}};
  stage.latents = model.h;
  stage.wants_unit_interval = "scale them: its units are bits";
  stage.encoder = encoder_of(model, settings.encoder_updates);
  // From the highest layer down, so that what is kept of a sample are the means of all but the highest.
  const Block down(model.h.rbegin(), model.h.rend());
  stage.objective = std::make_shared<const Contrast>(
      Block{model.v}, MeanField(down, {.iterations = settings.mean_field, .warm = settings.warm}),
      Chains(BlockGibbs({model.odd(), model.even()}),
             {.steps = settings.steps, .persistent = settings.chains}),
      settings.train);
  stage.start = [model, key = context.key.fold("bias")](const Source& samples, const Say& /*say*/) {
    model.graph.parameter("v.bias").tensor().copy_from(mean_bias(model.graph, model.v, samples, key));
  };
  if (settings.pretraining.epochs > 0) {
    stage.pretrain = [model, settings, key = context.key.fold("pretrain")](const Source& samples,
                                                                           const Say& say) {
      pretrain(model, settings, samples, key, say);
    };
  }
  if (settings.annealing.method != "none") stage.measures = {"mean_field_bound"};
  Sampling sampling = settings.sampling;
  sampling.visible = model.v;
  sampling.hidden = model.h.front();
  for (const Variable& layer : model.even()) {
    if (!(layer == model.v)) sampling.with_visible.push_back(layer);
  }
  for (const Variable& layer : model.odd()) {
    if (!(layer == model.h.front())) sampling.with_hidden.push_back(layer);
  }
  stage.facets
      .set(DeepMachine{.visible = model.v,
                       .latents = down,
                       .even = model.even(),
                       .odd = model.odd(),
                       .updates = settings.bound_updates,
                       .annealing = settings.annealing})
      .set(std::move(sampling))
      .set(Dictionary{.atoms = columns_of(model.graph.parameter("v.h1.weight")), .shape = model.v.shape});
  return stage;
}

}  // namespace

StageBuilder read_dbm(StageTables& tables) {
  tables.plots = {"basis", "samples"};
  Settings settings;
  read_model(tables.config, settings);
  read_train(tables, settings);
  settings.annealing = read_likelihood(tables.config, true, tables.scale, tables.smoke);
  settings.bound_updates = Reader(tables.config.table("evaluate")).count("bound_updates", 1, 50);
  settings.sampling = read_stated_sampling(tables.config.table("results"), tables.smoke);
  settings.annealing.fuse = settings.sampling.fuse = tables.fuse;
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
