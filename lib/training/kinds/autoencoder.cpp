#include "models/autoencoder.h"

#include "autograd/ops.h"
#include "config/reader.h"
#include "modules/activation.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/kinds/decoder_logits.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"
#include "training/measures/reconstruction.h"
#include "training/plots/reconstructions.h"

namespace basin {
namespace {

/// The weights of a layer, [codes, x.size()].
std::function<Tensor()> rows_of(const Module& layers, bool transposed) {
  for (const Parameter& parameter : layers.parameters()) {
    if (parameter.tensor().rank() != 2) continue;
    if (transposed) return columns_of(parameter);
    return [parameter] { return parameter.tensor(); };
  }
  throw Error("[autoencoder] expected a layer with a weight, received one without");
}

Stage build(AutoencoderOptions options, Index samples, const StageContext& context) {
  options.sample_shape = context.sample_shape;
  options.key = context.key.fold("model");
  const Autoencoder model = autoencoder(options);
  model.graph.to(context.placement);

  Stage stage;
  stage.graph = model.graph;
  stage.inputs = {{"image", model.x}};
  stage.objective = model.objective();
  stage.encoder = model.encoder;
  stage.facets.set(CodeWords{"outputs of the encoder's units"});
  stage.decoder = model.decoder;
  if (model.reconstruction != Reconstruction::Linear) {
    stage.wants_unit_interval = "take model.reconstruction = \"linear\"";
    Sequential decoder;
    decoder.add(model.decoder).add(Activation(Activation::Kind::Sigmoid));
    stage.decoder = std::make_shared<const Sequential>(std::move(decoder));
    stage.facets.set(DecoderLogits{model.decoder});
  }
  stage.facets.set(SampleEnergy{model.x, [model](const Value& rows) {
                                  const State clean = State().set(model.x, rows).with(model.seen, rows);
                                  return model.graph.energy(clean).detached();
                                }});
  stage.monitors = {"reconstruction"};
  stage.measures = {"reconstruction", "jacobian"};
  stage.facets.set(ReconstructionError{.samples = samples})
      .set(Dictionary{.atoms = rows_of(*model.decoder, options.tied),
                      .filters = rows_of(*model.encoder, true),
                      .shape = model.x.shape})
      .set(Reconstructions{.rows = [model](const State& batch, Key key) {
        const State prepared = model.prepared(batch, key);
        std::vector<Reconstructions::Row> rows{{"data", flatten(prepared[model.x])}};
        if (!(model.seen == model.x)) rows.push_back({"corrupted", flatten(prepared[model.seen])});
        rows.push_back({"codes", model.decode(model.encode(rows.back().pictures))});
        return rows;
      }});
  return stage;
}

}  // namespace

StageBuilder read_autoencoder(StageTables& tables) {
  tables.plots = {"encoder", "decoder", "reconstructions", "energy_surface"};
  AutoencoderOptions model{.key = Key(0)};
  const Reader in(tables.config.table("model"));
  model.codes = in.count("codes", 1);
  model.units = parse_code_unit(
      in.table().choice("units", {"sigmoid", "tanh", "relu", "softplus", "linear"}, "sigmoid"));
  model.reconstruction = parse_reconstruction(
      in.table().choice("reconstruction", {"linear", "sigmoid", "cross_entropy"}, "cross_entropy"));
  model.tied = in.table().boolean("tied", true);
  model.corruption = parse_corruption(
      in.table().choice("corruption", {"none", "gaussian", "masking", "salt_and_pepper"}, "none"));
  if (model.corruption != Corruption::None) {
    model.amount = in.within("amount", 0.0, model.corruption == Corruption::Gaussian ? kInfinity : 1.0);
  }
  model.contractive = in.within("contractive", 0.0, kInfinity, 0.0);
  model.saturating = in.within("saturating", 0.0, kInfinity, 0.0);
  model.sparse = in.within("sparse", 0.0, kInfinity, 0.0);
  const Reader activity(in.table().table("activity"));
  model.activity.cost = activity.within("cost", 0.0, kInfinity, 0.0);
  model.activity.target = activity.within("target", 0.0, 1.0, model.activity.target);
  const Config train = tables.config.table("train");
  tables.objective = train.choice("objective", {"reconstruction"}, "reconstruction");
  tables.fuse = model.fuse = read_fuse(train);
  const Index samples = Reader(tables.config.table("evaluate")).count("samples", 1, 10000);
  return [model, samples](const StageContext& context) { return build(model, samples, context); };
}

}  // namespace basin
