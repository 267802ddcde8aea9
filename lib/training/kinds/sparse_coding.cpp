#include "models/sparse_coding.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "models/conv_sparse_coding.h"
#include "models/psd.h"
#include "tensor/random.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/latent_encoders.h"
#include "training/measures/codes.h"
#include "training/measures/density.h"
#include "training/plots/reconstructions.h"

/// Dictionaries of sparse codes, with an encoder or without: "sparse_coding", "psd", "psd_warm_start" and, of
/// whole images, "conv_sparse_coding", "conv_psd".
namespace basin {
namespace {

constexpr const char* kDictionary = "z.y.weight";
constexpr Index kImages = 16;  // whose codes stand in memory at a time

struct Settings {
  bool of_images = false, encodes = false;
  bool warm_start = false;  // the prediction is no part of the energy that inference minimises
  Index atoms = 0, filter_size = 9;
  double lambda = 0.0;
  bool non_negative = false, from_data = false;
  double alpha = 1.0;
  EncoderKind encoder = EncoderKind::Shrinkage;
  std::string solver = {};  // "fista", "ista", "coordinate_descent"
  ProximalOptions proximal = {};
  LatentMinimumOptions minimum = {};
  Index samples = 0;  // of the evaluation
  bool gabor = false, coherence = false;
};

struct Model {
  FactorGraph graph;
  FactorGraph inference;  // the energy of inference
  Variable y, z;
  std::shared_ptr<const Module> decoder, encoder;  // the encoder may be null
  /// Gives the parameters the values that depend on the data, of which `head` is a part.
  std::function<void(const Source& samples, const State& head, Key key)> start;
};

/// Atoms are samples other than zero, in a random order, scaled to norm 1; the encoder's filters the same.
void start_from_samples(const Psd& model, const Source& samples, Key key) {
  const Tensor& atoms = model.decoder->weight().tensor();
  Index k = 0;
  for (const Index row : permutation(key.fold("atoms"), samples.count())) {
    if (k == atoms.dim(0)) break;
    const Value sample = flatten(samples.batch(std::vector<Index>{row}, key)[model.y]);
    if (sum(square(sample)).item() > 0.0) {
      atoms.rows(k, k + 1).copy_from(sample.tensor());
      ++k;
    }
  }
  scale_to_unit_norm(atoms);
  if (model.encoder) model.encoder->weight().tensor().copy_from(transpose(Value(atoms), {1, 0}).tensor());
}

Model of_vectors(const Settings& settings, const StageContext& context) {
  const PsdOptions options{.code = {.sample_shape = context.sample_shape,
                                    .atoms = settings.atoms,
                                    .lambda = settings.lambda,
                                    .non_negative = settings.non_negative,
                                    .placement = context.placement,
                                    .key = context.key.fold("model")},
                           .alpha = settings.alpha,
                           .encoder = settings.encoder};
  Psd psd;
  if (settings.encodes) {
    psd = settings.warm_start ? psd_warm_start(options) : basin::psd(options);
  } else {
    const SparseCoding plain = sparse_coding(options.code);
    psd = {plain.graph, plain.graph, plain.y, plain.z, plain.decoder, nullptr};
  }
  const auto start = [psd, from_data = settings.from_data](const Source& samples, const State&, Key key) {
    if (from_data) start_from_samples(psd, samples, key);
  };
  return {psd.graph, psd.inference, psd.y, psd.z, psd.decoder, psd.encoder, start};
}

Model of_images(const Settings& settings, const StageContext& context) {
  const ConvPsdOptions options{.code = {.image_shape = context.sample_shape,
                                        .filters = settings.atoms,
                                        .filter = {settings.filter_size, settings.filter_size},
                                        .lambda = settings.lambda,
                                        .non_negative = settings.non_negative,
                                        .placement = context.placement,
                                        .key = context.key.fold("model")},
                               .alpha = settings.alpha,
                               .encoder = settings.encoder};
  ConvPsd psd;
  if (settings.encodes) {
    psd = conv_psd(options);
  } else {
    const ConvSparseCoding plain = conv_sparse_coding(options.code);
    psd = {plain.graph, plain.y, plain.z, plain.decoder, nullptr};
  }
  const auto start = [psd, settings](const Source&, const State& head, Key key) {
    if (settings.from_data) {
      // As idle filters are replaced: by patches of images.
      const Tensor idle = Tensor::full({settings.atoms}, 1.0, {Dtype::F64, Device::Cpu});
      replace_idle(psd.graph, psd.graph.parameter(kDictionary), head, idle, 1, key.fold("start"));
    }
    if (psd.encoder) start_encoder(psd, settings.lambda);
  };
  return {psd.graph, psd.graph, psd.y, psd.z, psd.decoder, psd.encoder, start};
}

/// What infers the codes: from the encoder's guess where there is one, atoms of norm 1, idle ones
/// replaced.
std::shared_ptr<const LatentMinimum> make_minimum(const Settings& settings, const Model& model) {
  LatentMinimumOptions options = settings.minimum;
  options.unit_norm = {kDictionary};
  if (settings.warm_start) options.inferred_by = model.inference;
  if (model.encoder) {
    options.start = [encoder = model.encoder, y = model.y](const State& batch) {
      return encoder->forward(batch[y]);
    };
  }
  std::shared_ptr<const Transition> solver;
  if (settings.solver == "coordinate_descent") {
    solver = std::make_shared<const CoordinateDescent>(model.z);
  } else if (settings.solver == "ista") {
    solver = std::make_shared<const Ista>(model.z, settings.proximal);
  } else {
    solver = std::make_shared<const Fista>(model.z, settings.proximal);
  }
  return std::make_shared<const LatentMinimum>(model.z, std::move(solver), std::move(options));
}

Reconstructions reconstructions(const Model& model, const Codes& codes) {
  return {.rows =
              [model, codes](const State& batch, Key key) {
                const Value z = codes.minimum->minimum(model.graph, batch, key).state[model.z];
                const Value decoded = codes.decoder->forward(z);
                std::vector<Reconstructions::Row> rows{{"data", reshape(batch[model.y], decoded.shape())},
                                                       {"codes", decoded}};
                if (codes.encoder)
                  rows.push_back({"encoder", codes.decoder->forward(codes.encoder->forward(batch[model.y]))});
                return rows;
              },
          .shown = codes.per_pixel ? 4 : 20};
}

Dictionary pictures(const Settings& settings, const Model& model) {
  Dictionary dictionary{.atoms = [weight = model.graph.parameter(kDictionary)] { return weight.tensor(); },
                        .shape = model.y.shape,
                        .of_samples = !settings.of_images,
                        .unit_norm = true};
  if (settings.of_images) dictionary.shape = {settings.filter_size, settings.filter_size};
  if (model.encoder) {
    dictionary.filters = [weight = model.graph.parameter("y.z.weight"), as_is = settings.of_images] {
      return as_is ? weight.tensor() : transpose(weight.value().detached(), {1, 0}).tensor();
    };
  }
  return dictionary;
}

Stage build(const Settings& settings, const StageContext& context) {
  const Model model = settings.of_images ? of_images(settings, context) : of_vectors(settings, context);
  const auto minimum = make_minimum(settings, model);
  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{"image", model.y}};
  stage.latents = {model.z};
  stage.objective = minimum;
  stage.decoder = model.decoder;
  stage.encoder = model.encoder ? model.encoder : latent_argmin(model.graph, model.y, minimum);
  stage.facets.set(CodeWords{model.encoder ? "codes that the encoder predicts in one pass, not inferred ones"
                                           : "codes z* of least energy, inferred"});
  stage.start = [settings, model, key = context.key.fold("model")](const Source& samples, const Say& say) {
    const Index most = settings.of_images ? kImages : 256;
    const State head = samples_between(samples, 0, std::min(samples.count(), most),
                                       settings.of_images ? key.fold("start") : key);
    model.start(samples, head, key);
    const std::optional<double> largest = largest_useful_weight(model.inference, model.z, head);
    if (largest && settings.lambda >= *largest && say) {
      say(fmt::format(
          "warning: model.lambda = {} is not below {:.4g}, from which all codes are zero; nothing "
          "will be learned",
          settings.lambda, *largest));
    }
  };
  stage.monitors = stage.measures = {"codes"};
  if (settings.gabor) stage.measures.emplace_back("gabor");
  if (settings.coherence) stage.measures.emplace_back("coherence");
  if (settings.coherence && settings.of_images) stage.monitors.emplace_back("coherence");
  Codes codes{.minimum = minimum,
              .decoder = model.decoder,
              .encoder = model.encoder,
              .samples = settings.samples,
              .per_pixel = settings.of_images};
  if (settings.of_images) {
    codes.monitored = 8;
    codes.together = kImages;
  }
  stage.facets.set(SampleEnergy{model.y, [model, minimum](const Value& rows) {
                                  const State at = State().set(model.y, rows);
                                  const State best = minimum->minimum(model.graph, at, Key(0)).state;
                                  return model.graph.energy(best).detached();
                                }});
  stage.facets.set(pictures(settings, model)).set(reconstructions(model, codes)).set(std::move(codes));
  return stage;
}

/// [model]: lambda, non_negative, start; with an encoder alpha and encoder.
void read_model(const Reader& in, Settings& settings) {
  settings.atoms = in.count(settings.of_images ? "filters" : "atoms", 1);
  if (settings.of_images) settings.filter_size = in.count("filter_size", 1, 9);
  settings.lambda = in.within("lambda", 0.0, kInfinity);
  settings.non_negative = in.table().boolean("non_negative", false);
  const char* start = settings.of_images ? "data" : "normal";
  settings.from_data = in.table().choice("start", {"data", "normal"}, start) == "data";
  if (!settings.encodes) return;
  settings.alpha = in.positive("alpha", 1.0);
  settings.encoder = parse_encoder_kind(in.table().choice("encoder", {"shrinkage", "tanh", "relu"},
                                                          settings.non_negative ? "relu" : "shrinkage"));
}

/// [inference]: solver, tolerance, max_steps, step, fuse.
Fuse read_inference(const Reader& in, Settings& settings) {
  InferOptions& infer = settings.minimum.infer;
  std::vector<std::string> solvers{"fista", "ista"};
  if (!settings.of_images) solvers.insert(solvers.begin(), "coordinate_descent");
  settings.solver = in.table().choice("solver", solvers, solvers.front());
  const bool by_coordinates = settings.solver == "coordinate_descent";
  infer.tolerance = in.within("tolerance", 0.0, 1.0, settings.of_images ? 1e-2 : 1e-3);
  infer.max_steps = in.count("max_steps", 1, by_coordinates ? 10000 : settings.of_images ? 500 : 1000);
  if (!by_coordinates) {
    const std::string rule = in.table().choice("step", {"lipschitz", "backtracking"}, "lipschitz");
    settings.proximal.rule = rule == "backtracking" ? StepRule::Backtracking : StepRule::Lipschitz;
  }
  return infer.fuse = read_fuse(in.table());
}

StageBuilder read(StageTables& tables, Settings settings) {
  tables.plots = {"dictionary", "reconstructions"};
  if (!settings.of_images)
    tables.plots.insert(tables.plots.end(), {"dictionary_unwhitened", "energy_surface"});
  if (settings.encodes) tables.plots.emplace_back("encoder");
  read_model(Reader(tables.config.table("model")), settings);
  tables.fuse = read_inference(Reader(tables.config.table("inference")), settings);
  const Reader train(tables.config.table("train"));
  std::vector<std::string> objectives{"sgd"};
  if (!settings.of_images) objectives.insert(objectives.begin(), "online");
  tables.objective = train.table().choice("objective", objectives, objectives.front());
  const bool online = tables.objective == "online";
  if (online)
    settings.minimum.online = {.dictionary = kDictionary,
                               .forget = train.within("forget", 0.0, kInfinity, 20.0)};
  settings.minimum.dead_after = train.count("dead_after", 0, 50);
  tables.needs_optimizer = settings.encodes || !online;
  const Reader evaluate(tables.config.table("evaluate"));
  settings.samples = evaluate.count("samples", 1, settings.of_images ? 100 : 2000);
  if (settings.of_images) {
    settings.coherence = settings.atoms > 1;
  } else {
    settings.gabor = evaluate.table().boolean("gabor", false);
    // "likeness": the name of older experiment files.
    const bool older = evaluate.table().has("likeness");
    settings.coherence = evaluate.table().boolean(older ? "likeness" : "coherence", false);
  }
  if (tables.smoke) settings.samples = std::min<Index>(settings.samples, settings.of_images ? 4 : 100);
  if (tables.smoke && settings.of_images) {
    settings.minimum.infer.max_steps = std::min<Index>(settings.minimum.infer.max_steps, 20);
    tables.smoke_samples = kImages;  // an image costs as much as many samples of other kinds
  }
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace

StageBuilder read_sparse_coding(StageTables& tables) { return read(tables, {}); }
StageBuilder read_psd(StageTables& tables) { return read(tables, {.encodes = true}); }
StageBuilder read_psd_warm_start(StageTables& tables) {
  return read(tables, {.encodes = true, .warm_start = true});
}
StageBuilder read_conv_sparse_coding(StageTables& tables) { return read(tables, {.of_images = true}); }
StageBuilder read_conv_psd(StageTables& tables) { return read(tables, {.of_images = true, .encodes = true}); }

}  // namespace basin
