#include "models/sparse_coding.h"

#include <algorithm>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/minimise/dictionary.h"
#include "energy/objectives/online_dictionary.h"
#include "models/psd.h"
#include "tensor/random.h"
#include "training/dictionary.h"
#include "training/kinds/shared.h"

namespace basin {
namespace {

/// Sparse coding, and predictive sparse decomposition with an encoder.
struct Settings {
  CodeSettings code;
  bool warm_start = false;  // the prediction is no part of the energy that inference minimises
  Index atoms = 0;
  bool online = false;
  double forget = 0.0;
  Index samples = 0;  // of the evaluation
  bool gabor = false, coherence = false;
};

Psd make_model(const Settings& settings, const StageContext& context) {
  const SparseCodingOptions code{.sample_shape = context.sample_shape,
                                 .atoms = settings.atoms,
                                 .lambda = settings.code.lambda,
                                 .non_negative = settings.code.non_negative,
                                 .placement = context.placement,
                                 .key = context.key.fold("model")};
  if (settings.code.encodes) {
    const PsdOptions options{.code = code, .alpha = settings.code.alpha, .encoder = settings.code.encoder};
    return settings.warm_start ? psd_warm_start(options) : psd(options);
  }
  SparseCoding model = sparse_coding(code);
  return {.graph = model.graph,
          .inference = model.graph,
          .y = model.y,
          .z = model.z,
          .decoder = model.decoder,
          .encoder = nullptr};
}

/// Elements are samples other than zero, in a random order, scaled to norm 1; the encoder's filters the same.
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

Stage build(const Settings& settings, const StageContext& context) {
  const Psd model = make_model(settings, context);
  const auto minimum =
      code_minimum(settings.code, model.z, model.y, model.encoder,
                   model.encoder ? std::optional<FactorGraph>(model.inference) : std::nullopt);
  Stage stage;
  stage.graph = model.graph;
  stage.objective = minimum;
  if (settings.online) {
    stage.objective = std::make_shared<const OnlineDictionary>(
        *minimum, "z.y.weight", OnlineDictionaryOptions{.forget = settings.forget});
  }
  stage.start = [settings, model, key = context.key.fold("model")](const Source& samples, const Say& say) {
    if (settings.code.from_data) start_from_samples(model, samples, key);
    warn_of_lambda(settings.code, model.inference, model.z,
                   samples_between(samples, 0, std::min<Index>(samples.count(), 256), key), say);
  };
  if (settings.gabor) stage.measures.push_back("gabor");
  if (settings.coherence) stage.measures.push_back("coherence");
  complete_codes(
      stage, model.y,
      {.minimum = minimum, .decoder = model.decoder, .encoder = model.encoder, .samples = settings.samples},
      20);
  Dictionary dictionary{.elements = [model] { return model.decoder->weight().tensor(); },
                        .shape = model.y.shape,
                        .unit_norm = true};
  if (model.encoder) {
    dictionary.filters = [model] {
      return transpose(model.encoder->weight().value().detached(), {1, 0}).tensor();
    };
  }
  stage.facets.set(std::move(dictionary));
  return stage;
}

StageBuilder read(StageTables& tables, bool encodes, bool warm_start) {
  tables.plots = {"dictionary", "dictionary_unwhitened", "reconstructions"};
  if (encodes) tables.plots.emplace_back("encoder");
  Settings settings;
  settings.code.encodes = encodes;
  settings.warm_start = warm_start;
  settings.atoms = Reader(tables.config.table("model")).count("atoms", 1);
  read_code_model(tables.config, "normal", settings.code);
  read_inference(tables, {"coordinate_descent", "fista", "ista"}, 1e-3, 1000, settings.code);
  const Reader train(tables.config.table("train"));
  tables.objective = train.table().choice("objective", {"online", "sgd"}, "online");
  settings.online = tables.objective == "online";
  if (settings.online) settings.forget = train.within("forget", 0.0, kInfinity, 20.0);
  settings.code.dead_after = train.count("dead_after", 0, 50);
  tables.needs_optimizer = encodes || !settings.online;
  const Reader evaluate(tables.config.table("evaluate"));
  settings.samples = evaluate.count("samples", 1, 2000);
  if (tables.smoke) settings.samples = std::min<Index>(settings.samples, 100);
  settings.gabor = evaluate.table().boolean("gabor", false);
  // "likeness": the name of older experiment files.
  const bool older = evaluate.table().has("likeness");
  settings.coherence = evaluate.table().boolean(older ? "likeness" : "coherence", false);
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace

StageBuilder read_sparse_coding(StageTables& tables) { return read(tables, false, false); }
StageBuilder read_psd(StageTables& tables) { return read(tables, true, false); }
StageBuilder read_psd_warm_start(StageTables& tables) { return read(tables, true, true); }

}  // namespace basin
