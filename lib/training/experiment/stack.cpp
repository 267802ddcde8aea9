#include "training/experiment/stack.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/score.h"
#include "energy/objectives/exact_likelihood.h"
#include "modules/linear.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/experiment/encode.h"
#include "training/measures/classification.h"

namespace basin {
namespace {

/// The encoders of stages, one after another, and a last module: x -> last(g_n(... g_1(x))). Its parameters
/// are theirs, as "<stage>.<name>" and "head.<name>".
class EncoderStack final : public Module {
 public:
  EncoderStack(const std::vector<Stage>& stages, std::shared_ptr<const Module> head) {
    for (const Stage& stage : stages) modules_.emplace_back(stage.name, stage.encoder);
    modules_.emplace_back(kHead, std::move(head));
  }

  Value forward(const Value& x, const Context& context) const override {
    Value code = x;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      if (i + 1 == modules_.size()) code = flatten(code);
      code = modules_[i].second->forward(code, context.fold(i));
    }
    return code;
  }

  std::vector<Parameter> parameters() const override {
    std::vector<Parameter> parameters;
    for (const auto& [name, module] : modules_) {
      for (const Parameter& parameter : module->parameters()) parameters.push_back(parameter.prefixed(name));
    }
    return parameters;
  }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<const Module>>> modules_;
};

Stage make_stage(const Plan& plan, std::size_t i, const Shape& sample_shape, Device device) {
  const StagePlan& own = plan.stages[i];
  const bool is_only = own.name == kOnlyStage, is_first = i == 0;
  Stage stage = own.build({.name = own.name,
                           .key = is_only ? Key(plan.seed) : Key(plan.seed).fold("stages").fold(own.name),
                           .sample_shape = sample_shape,
                           .pixels = {.scale = is_first ? plan.data.scale : PixelScale::Unit,
                                      .threshold = plan.data.threshold,
                                      .augment = is_first ? plan.data.augment : Augmentation{}},
                           .placement = {own.train.dtype, device},
                           .data = is_first ? plan.data.name : "",
                           .data_options = plan.data.options});
  if (!is_first && own.draws_bits && stage.inputs.at(0).variable.domain == Domain::Binary) {
    stage.pixels.scale = PixelScale::Stochastic;
  }
  if (stage.pixels.scale == PixelScale::Stochastic) {
    stage.wants_unit_interval =
        is_first ? "set data.scale = \"unit\"" : "set input = \"means\", or visible = \"gaussian\"";
  }
  return stage;
}

}  // namespace

std::vector<Stage> make_stages(const Plan& plan, const Shape& sample_shape, Device device) {
  std::vector<Stage> stages;
  Shape shape = sample_shape;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& [name, kind] = std::pair(plan.stages[i].name, plan.stages[i].kind->name);
    try {
      stages.push_back(make_stage(plan, i, shape, device));
      if (i + 1 < plan.stages.size() || plan.head) shape = code_shape(stages.back());
    } catch (const Error& error) {
      if (plan.stages.size() == 1) throw;
      throw Error(fmt::format(
          "[stages] expected stage {} ({}) to fit samples of {}{}: {}", name, kind, to_string(shape),
          i == 0 ? "" : fmt::format(", which stage {} gives", plan.stages[i - 1].name), error.what()));
    }
  }
  return stages;
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
  Stage head;
  head.name = kHead;
  head.kind = "softmax";
  head.key = Key(plan.seed).fold("stages").fold(kHead);
  head.placement = {plan.head->train.dtype, device};
  head.pixels = {.scale = plan.data.scale == PixelScale::Stochastic ? PixelScale::Unit : plan.data.scale,
                 .threshold = plan.data.threshold};
  // On frozen stages it learns from what they gave, once, of samples as they are.
  if (stages.empty() || plan.protocol != Protocol::LayerwiseFrozen) head.pixels.augment = plan.data.augment;
  for (const Stage& stage : stages) {
    const bool has_gradient = !stage.objective || !stage.encoder->parameters().empty();
    if (!has_gradient && plan.protocol != Protocol::LayerwiseFrozen) {
      throw Error(
          fmt::format("[head] expected stages whose codes a gradient passes through, but those of stage "
                      "{} ({}) are inferred; take a kind with an encoder (psd, conv_psd), or protocol = "
                      "\"layerwise_frozen\"",
                      stage.name, stage.kind));
    }
    if (stage.objective && stage.placement.dtype != head.placement.dtype) {
      throw Error(fmt::format(
          "[head] expected stages of one train.dtype, received {} of stage {} and {} of stage {}; set both "
          "alike",
          to_string(stage.placement.dtype), stage.name, to_string(head.placement.dtype), stages.back().name));
    }
    // A checkpoint of the head holds all that it needs, whatever became of the stages below it.
    for (const Parameter& buffer : stage.buffers) head.buffers.push_back(buffer.prefixed(stage.name));
  }
  const Variable x = head.graph.real("x", samples.shape());
  const Variable y = head.graph.categorical("label", {labels->classes()});
  const Index codes = element_count(stages.empty() ? samples.shape() : code_shape(stages.back()));
  const auto scores = std::make_shared<const EncoderStack>(
      stages, std::make_shared<const Linear>(codes, labels->classes(), head.key.fold("model"),
                                             LinearOptions{.placement = head.placement}));
  head.graph.add(Score(y, scores, x));
  head.inputs = {{samples.first().name(), x}, {labels->name(), y}};
  head.objective = std::make_shared<const Contrast>(ConditionalLikelihood({y}));
  head.monitors = head.measures = {"classification"};
  head.plots = {"curves"};
  head.facets.set(Classifier{scores});
  return head;
}

}  // namespace basin
