#include "energy/objectives/up_down.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/objectives/labels/label_loss.h"
#include "energy/sample_ops.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/kinds/copy_numbers.h"
#include "training/kinds/kind.h"
#include "training/measures/bound.h"
#include "training/measures/classification.h"
#include "training/measures/sampling.h"

/// The head "up_down": a deep belief net of samples and labels, restricted Boltzmann machines under a
/// "label_rbm", all of it trained together by the up-down algorithm. The stages' weights are those of the
/// recognition; those of the generation are the head's own and begin as the stages'. It classifies by the
/// free energy of the top, given the means that the recognition finds below it.
namespace basin {
namespace {

/// The stages as layers: generation by the twin, recognition by the stage. Throws Error for others.
DeepBelief net_of(const std::vector<Stage>& stages, const std::vector<Stage>& twins) {
  const auto* top = stages.empty() ? nullptr : stages.back().facets.get<Sampling>();
  if (stages.size() < 2 || top == nullptr || !top->label) {
    throw Error(
        "[up_down] expected stages rbm below a last one label_rbm, received others; see \"Deep belief nets\" "
        "of experiments/README.md");
  }
  DeepBelief net{.layers = {},
                 .top = stages.back().graph,
                 .visible = top->visible,
                 .latents = {top->hidden, *top->label}};
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const auto* layer = stages[i].facets.get<Sampling>();
    if (layer == nullptr || layer->label || !layer->is_two_layers()) {
      throw Error(fmt::format("[up_down] expected stages rbm below the top, received {} ({})", stages[i].name,
                              stages[i].kind));
    }
    net.layers.push_back({twins[i].graph, layer->visible, layer->hidden, stages[i].graph});
  }
  return net;
}

/// x -> -F(v, y) of every label y, [N, classes], v the means of the recognition.
std::shared_ptr<const Module> scores_of(const std::vector<Stage>& stages, const DeepBelief& net, Fuse fuse) {
  std::vector<std::shared_ptr<const Module>> encoders;
  std::vector<Parameter> parameters = net.top.parameters();
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    encoders.push_back(stages[i].encoder);
    for (const Parameter& own : stages[i].encoder->parameters())
      parameters.push_back(own.prefixed(stages[i].name));
  }
  return std::make_shared<const Function>(
      [encoders, net, fuse](const Value& x, const Context& context) {
        Value v = x;
        for (const auto& encoder : encoders) v = encoder->forward(v, context);
        return -label_energies(net.top, net.latents.back(),
                               State().set(net.visible, as_values(net.visible, v)), Elimination::Sum, fuse);
      },
      std::move(parameters));
}

Stage build(const UpDownOptions& options, Sampling sampling, const StageContext& context) {
  const LabelColumn& labels = labels_of(context);
  refuse_patches("up_down", context.stages);
  const std::vector<Stage> stages = context.stages, twins = context.twins();
  const DeepBelief net = net_of(stages, twins);
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    for (const Parameter& own : stages[i].encoder->parameters())
      parameters.push_back(own.prefixed(stages[i].name));
    for (const Parameter& own : twins[i].decoder->parameters())
      parameters.push_back(own.prefixed(fmt::format("{}.{}", kHead, stages[i].name)));
  }

  Stage head;
  head.graph = net.top;
  const Variable x = head.graph.real("x", context.sample_shape);
  const Variable& y = net.latents.back();
  head.inputs = {{"image", x}, {labels.name, y}};
  head.wants_unit_interval = "up_down is of bits, or of means of bits";
  head.objective = std::make_shared<const UpDown>(net, x, Block{y}, std::move(parameters), options);
  head.start = [stages, twins](const Source&, const Say&) {
    for (std::size_t i = 0; i + 1 < stages.size(); ++i) copy_numbers(stages[i], twins[i]);
  };
  head.monitors = head.measures = {"classification"};
  sampling.visible = net.visible;
  sampling.hidden = net.latents.front();
  sampling.label = y;
  head.facets.set(std::move(sampling))
      .set(BeliefNet{net, stages.front(), {}})
      .set(Classifier{scores_of(stages, net, options.fuse)});
  return head;
}

}  // namespace

StageBuilder read_up_down(StageTables& tables) {
  const Reader in(tables.config.table("head"));
  UpDownOptions options;
  options.steps = in.count("steps", 1, 3);
  options.fuse = tables.fuse = read_fuse(in.table());
  tables.objective = "up_down";
  tables.plots = {"samples", "confusion", "misclassified"};
  if (tables.config.has("protocol") && tables.config.text("protocol") == "layerwise_frozen")
    tables.config.fail("protocol",
                       "expected \"layerwise_fine_tune\" under a head up_down, which trains all stages, "
                       "received \"layerwise_frozen\"");
  const Sampling sampling = read_sampling(tables.config.table("results"), tables.smoke);
  return [=](const StageContext& context) { return build(options, sampling, context); };
}

}  // namespace basin
