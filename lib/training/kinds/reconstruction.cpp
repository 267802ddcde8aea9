#include "training/measures/reconstruction.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/cross_entropy.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/kinds/copy_numbers.h"
#include "training/kinds/decoder_logits.h"
#include "training/kinds/kind.h"

/// The head "reconstruction": a deep auto-encoder, E(x) = distance(x, r(g(x))), by the stages' encoders g
/// and, from the last to the first, their decoders r with weights of their own, which begin as the stages'
/// (Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks": unrolling).
namespace basin {
namespace {

using Module_ = std::shared_ptr<const Module>;

/// r(z) = d_1(... d_n(z)), the parameters as "head.<stage>.<name>".
Module_ decoders_of(const std::vector<Stage>& stages, bool to_logits) {
  std::vector<Module_> decoders;
  std::vector<Parameter> parameters;
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    const bool is_first = stage + 1 == stages.rend();
    const auto* logits = stage->facets.get<DecoderLogits>();
    if (is_first && to_logits && logits == nullptr) {
      throw Error(
          fmt::format("[reconstruction] expected a first stage that decodes to probabilities for head.loss = "
                      "\"cross_entropy\", received {} ({}); take \"squared\"",
                      stage->name, stage->kind));
    }
    const Module_ decoder = is_first && to_logits ? logits->module : stage->decoder;
    if (!decoder) {
      throw Error(
          fmt::format("[reconstruction] expected stages with a decoder, received {} ({}) without; take an "
                      "rbm, an autoencoder, psd or pca",
                      stage->name, stage->kind));
    }
    decoders.push_back(decoder);
    for (const Parameter& own : decoder->parameters())
      parameters.push_back(own.prefixed(fmt::format("{}.{}", kHead, stage->name)));
  }
  return std::make_shared<const Function>(
      [decoders](const Value& code, const Context& context) {
        Value x = code;
        for (std::size_t i = 0; i < decoders.size(); ++i)
          x = flatten(decoders[i]->forward(x, context.fold(i)));
        return x;
      },
      std::move(parameters));
}

Stage build(bool to_logits, Index samples, const StageContext& context) {
  if (context.stages.empty())
    throw Error("[reconstruction] expected stages below the head, received none; add [[stages]]");
  refuse_patches("reconstruction", context.stages);
  const std::vector<Stage> twins = context.twins();
  const Module_ g = context.below, r = decoders_of(twins, to_logits);
  std::vector<Parameter> parameters = g->parameters();
  for (const Parameter& own : r->parameters()) parameters.push_back(own);
  const auto both = std::make_shared<const Function>(
      [g, r](const Value& x, const Context& context) {
        return r->forward(g->forward(x, context.fold("encoder")), context.fold("decoder"));
      },
      std::move(parameters));

  Stage head;
  const Variable x = head.graph.real("x", context.sample_shape);
  if (to_logits) {
    head.graph.add(CrossEntropy(x, both, x, {.label = ""}));
    head.wants_unit_interval = "take head.loss = \"squared\"";
  } else {
    head.graph.add(SquaredError(x, both, x, {.label = ""}));
  }
  head.inputs = {{"image", x}};
  head.objective = std::make_shared<const MeanEnergy>();
  head.encoder = g;
  head.decoder = to_logits ? decoders_of(twins, false) : r;
  head.start = [stages = context.stages, twins](const Source&, const Say&) {
    for (std::size_t i = 0; i < stages.size(); ++i) copy_numbers(stages[i], twins[i]);
  };
  head.monitors = head.measures = {"reconstruction"};
  head.facets.set(ReconstructionError{.samples = samples});
  return head;
}

}  // namespace

StageBuilder read_reconstruction(StageTables& tables) {
  const Config head = tables.config.table("head");
  const bool to_logits = head.choice("loss", {"squared", "cross_entropy"}, "squared") == "cross_entropy";
  tables.objective = "reconstruction";
  tables.plots = {"reconstructions", "features"};
  const Index samples = Reader(head).count("samples", 1, 10000);
  return [=](const StageContext& context) { return build(to_logits, samples, context); };
}

}  // namespace basin
