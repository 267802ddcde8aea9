// What the stages of a plan become: stages, and a head on them.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/score.h"
#include "energy/objectives/exact_likelihood.h"
#include "modules/linear.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/encode.h"
#include "training/measures/classification.h"
#include "training/plan.h"

namespace basin {
Stage make_stage(const Plan& plan, std::size_t i, const Shape& sample_shape, bool is_real, Device device) {
  const StagePlan& own = plan.stages.at(i);
  const bool is_only = own.name == kOnlyStage;
  const bool is_first = i == 0;
  Stage stage = own.build(
      {.name = own.name,
       .key = is_only ? Key(plan.seed) : Key(plan.seed).fold("stages").fold(own.name),
       .sample_shape = sample_shape,
       .is_real = is_real,
       .pixels = {.scale = is_first ? plan.data.scale : PixelScale::Unit, .threshold = plan.data.threshold},
       .placement = {own.train.dtype, device},
       .data = is_first ? plan.data.name : "",
       .data_options = plan.data.options});
  if (!is_first && own.draws_bits && stage.inputs.at(0).variable.domain == Domain::Binary) {
    stage.pixels.scale = PixelScale::Stochastic;
  }
  return stage;
}

void randomise(const Stage& stage) {
  if (!stage.encoder) return;
  for (const Parameter& parameter : stage.encoder->parameters()) {
    const Tensor& numbers = parameter.tensor();
    if (numbers.rank() < 2) continue;
    // Matrices are [in, out], filters [out, in...].
    const Index out = numbers.rank() == 2 ? numbers.dim(1) : numbers.dim(0);
    const Tensor drawn = Initializer{}.weights(
        numbers.size() / out, out, stage.key.fold("random").fold(parameter.name()), numbers.placement());
    numbers.copy_from(drawn.reshaped(numbers.shape()));
  }
}

Stage make_head(const Plan& plan, const std::vector<Stage>& stages, const Samples& samples, Device device) {
  const Column* labels = samples.labels();
  if (labels == nullptr) {
    throw Error(fmt::format("[head] expected data with labels, received {} without", plan.data.name));
  }
  for (const Stage& stage : stages) {
    const bool has_gradient = !stage.objective || (stage.encoder && !stage.encoder->parameters().empty());
    if (!has_gradient && plan.protocol != Protocol::LayerwiseFrozen) {
      throw Error(
          fmt::format("[head] expected stages whose codes a gradient passes through, but those of stage "
                      "{} ({}) are minima; take a kind with an encoder (psd, conv_psd), or protocol = "
                      "\"layerwise_frozen\"",
                      stage.name, stage.kind));
    }
  }
  const Key key = Key(plan.seed).fold("stages").fold(kHead);
  const Placement placement{plan.head->train.dtype, device};
  Stage head;
  head.name = kHead;
  head.kind = "softmax";
  head.key = key;
  head.placement = placement;
  head.pixels = {.scale = plan.data.scale == PixelScale::Stochastic ? PixelScale::Unit : plan.data.scale,
                 .threshold = plan.data.threshold};
  // A checkpoint of the head holds all that it needs, whatever became of the stages below it.
  for (const Stage& stage : stages) {
    for (const Parameter& buffer : stage.buffers) head.buffers.push_back(buffer.prefixed(stage.name));
  }
  const Variable x = head.graph.real("x", samples.shape());
  const Variable y = head.graph.categorical("label", {labels->classes()});
  Shape one = samples.shape();
  one.insert(one.begin(), 1);
  Value code(Tensor::zeros(one, placement));
  for (const Stage& stage : stages) code = stage.encoder->forward(code);
  const auto scores = std::make_shared<const EncoderStack>(
      stages, std::make_shared<const Linear>(code.tensor().size(), labels->classes(), key.fold("model"),
                                             LinearOptions{.placement = placement}));
  head.graph.add(Score(y, scores, x));
  head.inputs = {{samples.first().name(), x}, {labels->name(), y}};
  head.objective = std::make_shared<const Contrast>(ConditionalLikelihood({y}));
  head.monitors = head.measures = {"classification"};
  head.plots = {"curves"};
  head.facets.set(Classifier{scores});
  return head;
}

}  // namespace basin
