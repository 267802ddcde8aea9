#include <fmt/format.h>

#include "autograd/ops.h"
#include "config/reader.h"
#include "data/images/whitening.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"
#include "training/measures/reconstruction.h"
#include "training/walk.h"

/// Principal components, z = F (x - m) with the directions of largest variance as rows of F, and their way
/// back, x ~ m + B z: "pca". Nothing is trained: start() finds F, B, m by the covariance of the samples.
namespace basin {
namespace {

struct Settings {
  Index dimensions = 0, samples = 0, judged = 0;
  bool whitens = false;
  double epsilon = 0.0;
};

/// F with rows of length 1 in the place of whitening ones, and B = F'.
void keep_lengths(Whitening& found) {
  const Value rows = found.forward;
  const Value directions = rows / sqrt(sum(square(rows), {1}, {.keep = true}));
  found.forward = directions.tensor();
  found.inverse = transpose(directions, {1, 0}).tensor();
}

Stage build(const Settings& settings, const StageContext& context) {
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape);
  const Index size = x.size(), kept = settings.dimensions;
  if (kept > size)
    throw Error(fmt::format(
        "[pca] expected at most {} dimensions, as many as a sample has numbers, received {}", size, kept));
  const auto zeros = [&](const char* name, const Shape& shape) {
    return Parameter(name, Tensor::zeros(shape, context.placement));
  };
  const Parameter mean = zeros("mean", {1, size}), forward = zeros("forward", {kept, size}),
                  inverse = zeros("inverse", {size, kept});
  stage.buffers = {mean, forward, inverse};
  stage.inputs = {{"image", x}};
  stage.encoder = std::make_shared<const Function>([=](const Value& in, const Context&) {
    return matmul(flatten(in) - mean.value().detached(), forward.value().detached(), {.transpose_b = true});
  });
  stage.facets.set(
      CodeWords{settings.whitens ? "principal components, each of unit variance" : "principal components",
                settings.whitens ? "standard deviation" : "of the samples"});
  stage.decoder = std::make_shared<const Function>([=](const Value& code, const Context&) {
    return mean.value().detached() + matmul(code, inverse.value().detached(), {.transpose_b = true});
  });
  stage.start = [=, key = context.key.fold("samples")](const Source& data, const Say&) {
    Whitening found = fit_whitening(
        flatten(drawn_samples(data, settings.samples, key)[x]).tensor().to({Dtype::F32, Device::Cpu}),
        {.kind = WhiteningKind::Pca, .dimensions = kept, .epsilon = settings.epsilon});
    if (!settings.whitens) keep_lengths(found);
    mean.tensor().copy_from(found.mean.reshaped({1, size}).to(context.placement));
    forward.tensor().copy_from(found.forward.to(context.placement));
    inverse.tensor().copy_from(found.inverse.to(context.placement));
  };
  stage.facets.set(
      SampleEnergy{x, [encoder = stage.encoder, decoder = stage.decoder](const Value& rows) {
                     const Value back = decoder->forward(encoder->forward(rows));
                     return (0.5 * sum_per_sample(square(flatten(rows) - flatten(back)))).detached();
                   }});
  stage.measures = {"reconstruction"};
  stage.facets.set(ReconstructionError{.samples = settings.judged})
      .set(Dictionary{.atoms = columns_of(inverse), .shape = x.shape});
  return stage;
}

}  // namespace

StageBuilder read_pca(StageTables& tables) {
  tables.objective = "none";
  tables.plots = {"basis", "reconstructions", "energy_surface"};
  const Reader in(tables.config.table("model"));
  Settings settings;
  settings.dimensions = in.count("dimensions", 1);
  settings.whitens = in.table().boolean("whiten", false);
  if (settings.whitens) settings.epsilon = in.within("epsilon", 0.0, kInfinity, 0.01);
  settings.samples = in.count("samples", 2, 60000);
  settings.judged = Reader(tables.config.table("evaluate")).count("samples", 1, 10000);
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin
