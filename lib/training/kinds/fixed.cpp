#include <cmath>

#include "autograd/ops.h"
#include "config/reader.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/walk.h"

/// Stages with nothing to train, to stand between others: "abs", "scale" (to unit mean square over all
/// samples), "contrast" (each sample to mean 0 and standard deviation 1).
namespace basin {
namespace {

/// (x - m) / max(s, floor) with the mean m and the standard deviation s of a sample's numbers.
Value normalise_contrast(const Value& x, double floor) {
  const Value flat = flatten(x), centred = flat - mean(flat, {1}, {.keep = true});
  const Value deviation = sqrt(mean(square(centred), {1}, {.keep = true}) + 1e-12);
  return reshape(centred / (relu(deviation - floor) + floor), x.shape());
}

Stage fixed(const StageContext& context, const char* words, Function::Forward function) {
  Stage stage;
  stage.inputs = {{"image", stage.graph.real("x", context.sample_shape)}};
  stage.encoder = std::make_shared<const Function>(std::move(function));
  stage.facets.set(CodeWords{words});
  stage.pictures = [](const Preprocessing& below) { return below; };
  return stage;
}

Stage build_scale(const StageContext& context) {
  const Parameter factor("factor", Tensor::full({1}, 1.0, context.placement));
  Stage stage = fixed(context, "samples scaled to unit mean square over all of them",
                      [factor](const Value& x, const Context&) { return x * factor.value().detached(); });
  stage.buffers = {factor};
  const Variable x = stage.inputs[0].variable;
  stage.start = [factor, x, key = context.key](const Source& samples, const Say& /*say*/) {
    double squares = 0.0;
    walk_through(samples, samples.count(), key,
                 [&](const State& part, Index) { squares += sum(square(part[x])).item(); });
    if (!std::isfinite(squares))
      throw Error("[scale] samples are too large: the sum of their squares leaves f32; scale the data first");
    if (!(squares > 0.0)) throw Error("[scale] expected samples other than zero; lower the lambda below");
    const double numbers = static_cast<double>(samples.count() * x.size());
    factor.tensor().copy_from(Tensor::full({1}, std::sqrt(numbers / squares), factor.tensor().placement()));
  };
  stage.pictures = [factor](Preprocessing below) {
    below.scale *= factor.value().item();
    return below;
  };
  return stage;
}

}  // namespace

StageBuilder read_abs(StageTables& tables) {
  tables.objective = "none";
  return [](const StageContext& context) {
    return fixed(context, "sizes of the numbers of a sample",
                 [](const Value& x, const Context&) { return abs(x); });
  };
}

StageBuilder read_scale(StageTables& tables) {
  tables.objective = "none";
  return build_scale;
}

StageBuilder read_contrast(StageTables& tables) {
  tables.objective = "none";
  const double floor = Reader(tables.config.table("model")).positive("floor", 0.1);
  return [floor](const StageContext& context) {
    return fixed(context, "samples, each of mean 0 and standard deviation 1",
                 [floor](const Value& x, const Context&) { return normalise_contrast(x, floor); });
  };
}

}  // namespace basin
