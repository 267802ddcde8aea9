#include "training/experiment/stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "modules/initializer.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/experiment/encode.h"
#include "training/plots/label_energy.h"
#include "training/plots/layers.h"

namespace basin {
namespace {

/// The encoders of stages, one after another, to flat codes: g_n(... g_1(x)). Its parameters are theirs, as
/// "<stage>.<name>".
class Encoders final : public Module {
 public:
  explicit Encoders(const std::vector<Stage>& stages) {
    for (const Stage& stage : stages) modules_.emplace_back(stage.name, passed_on(stage));
  }

  Value forward(const Value& x, const Context& context) const override {
    Value code = x;
    for (std::size_t i = 0; i < modules_.size(); ++i)
      code = modules_[i].second->forward(code, context.fold(i));
    return flatten(code);
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

/// A binary input takes bits, drawn anew at every step: of pixels where data.scale says so, of the means that
/// come from below unless they are asked for.
void draw_bits(Stage& stage, bool is_first, bool draws_bits) {
  if (!is_first && draws_bits && stage.inputs.at(0).variable.domain == Domain::Binary) {
    stage.pixels.scale = PixelScale::Stochastic;
  }
  if (stage.pixels.scale == PixelScale::Stochastic && stage.wants_unit_interval.empty()) {
    stage.wants_unit_interval =
        is_first ? "set data.scale = \"unit\"" : "set input = \"means\", or visible = \"gaussian\"";
  }
}

Stage make_stage(const Plan& plan, std::size_t i, const Shape& sample_shape, Device device,
                 const std::function<Samples()>& samples) {
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
                           .data_options = plan.data.options,
                           .samples = samples});
  draw_bits(stage, is_first, own.draws_bits);
  return stage;
}

/// Every stage has numbers in one dtype, and a gradient reaches those that are trained.
void check_fine_tuning(const Plan& plan, const std::vector<Stage>& stages, Dtype dtype) {
  for (const Stage& stage : stages) {
    const bool has_gradient = !stage.objective || !stage.encoder->parameters().empty();
    if (!has_gradient && plan.protocol != Protocol::LayerwiseFrozen) {
      throw Error(fmt::format(
          "[head] expected stages whose codes a gradient passes through, but those of stage {} ({}) are "
          "inferred; take a kind with an encoder of its own, or protocol = \"layerwise_frozen\"",
          stage.name, stage.kind));
    }
    const bool computes = stage.objective || !stage.encoder->parameters().empty();
    if (computes && stage.placement.dtype != dtype) {
      throw Error(
          fmt::format("[head] expected stages of one train.dtype, received {} of stage {} and {} of stage "
                      "{}; set both alike",
                      to_string(stage.placement.dtype), stage.name, to_string(dtype), stages.back().name));
    }
  }
}

}  // namespace

std::vector<Stage> make_stages(const Plan& plan, const Shape& sample_shape, Device device,
                               const std::function<Samples()>& samples) {
  std::vector<Stage> stages;
  Shape shape = sample_shape;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& [name, kind] = std::pair(plan.stages[i].name, plan.stages[i].kind->name);
    try {
      stages.push_back(make_stage(plan, i, shape, device, samples));
      if (i + 1 < plan.stages.size() || plan.head) shape = code_shape(stages.back(), shape);
    } catch (const Error& error) {
      if (name == kOnlyStage) throw;
      throw Error(fmt::format(
          "[stages] expected stage {} ({}) to fit samples of {}{}: {}", name, kind, to_string(shape),
          i == 0 ? "" : fmt::format(", which stage {} gives", plan.stages[i - 1].name), error.what()));
    }
  }
  return stages;
}

void randomise(const Stage& stage) {
  if (!stage.encoder || !stage.objective) return;
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

LabelColumn label_column(const Samples& samples) {
  const Column* labels = samples.labels();
  return labels == nullptr ? LabelColumn{} : LabelColumn{labels->name(), labels->classes()};
}

Stage make_head(const Plan& plan, const std::vector<Stage>& stages, const Shape& sample_shape,
                const LabelColumn& labels, Device device, const std::function<Samples()>& samples) {
  const StagePlan& own = *plan.head;
  const Placement placement = {own.train.dtype, device};
  check_fine_tuning(plan, stages, placement.dtype);
  Shape codes = sample_shape;
  for (const Stage& stage : stages) codes = code_shape(stage, codes);
  // On frozen stages it learns from what they gave, once, of samples as they are.
  const bool sees_samples = stages.empty() || plan.protocol != Protocol::LayerwiseFrozen;
  const auto below = std::make_shared<const Encoders>(stages);
  Stage head = own.build(
      {.name = kHead,
       .key = Key(plan.seed).fold("stages").fold(kHead),
       .sample_shape = own.learns_codes ? codes : sample_shape,
       .pixels = {.scale = plan.data.scale == PixelScale::Stochastic || own.learns_codes ? PixelScale::Unit
                                                                                         : plan.data.scale,
                  .threshold = plan.data.threshold,
                  .augment = sees_samples ? plan.data.augment : Augmentation{}},
       .placement = placement,
       .data = plan.data.name,
       .labels = labels,
       .below = below,
       .codes = element_count(codes),
       .stages = stages,
       .twins = [&] { return make_stages(plan, sample_shape, device, samples); }});
  if (own.learns_codes) draw_bits(head, false, true);
  const auto* layers = stages.empty() ? nullptr : stages.front().facets.get<NetworkLayers>();
  if (layers != nullptr && stages.front().facets.get<Everywhere>() == nullptr) head.facets.set(*layers);
  if (!stages.empty() && !own.learns_codes)
    head.facets.set(DeepCodes{.encoder = below, .codes = element_count(codes)});
  if (!own.joint.empty()) add_joint_terms(head, stages, own.joint, samples);
  // A checkpoint of the head holds all that it needs, whatever became of the stages below it.
  for (const Stage& stage : stages) {
    for (const std::string& rule : stage.rules) {
      if (std::ranges::find(head.rules, rule) == head.rules.end()) head.rules.push_back(rule);
    }
    for (const Parameter& buffer : stage.buffers) head.buffers.push_back(buffer.prefixed(stage.name));
  }
  return head;
}

Dataset head_data(const Stage& head, Dataset data) {
  if (sees_labels(head, data)) data.train = data.labelled;
  return data;
}

}  // namespace basin
