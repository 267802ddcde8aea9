#include "models/recurrent.h"

#include <fmt/format.h>

#include <utility>

#include "energy/factors/score.h"
#include "energy/factors/squared_error.h"
#include "models/room.h"
#include "modules/dropout.h"
#include "modules/linear.h"
#include "modules/sequences/steps.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Named parts, one after another.
class Net final : public Module {
 public:
  Net& add(std::string name, std::shared_ptr<const Module> part) {
    parts_.emplace_back(std::move(name), std::move(part));
    return *this;
  }

  Value forward(const Value& x, const Context& context) const override {
    Value y = x;
    for (const auto& [name, part] : parts_) y = part->forward(y, context.fold(name));
    return y;
  }
  std::vector<Parameter> parameters() const override {
    std::vector<Parameter> all;
    for (const auto& [name, part] : parts_) {
      for (const Parameter& parameter : part->parameters()) all.push_back(parameter.prefixed(name));
    }
    return all;
  }
  bool ends_at_lengths() const override { return true; }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<const Module>>> parts_;
};

enum class Read { EveryStep, LastStep };

/// Numbers of all parameters of such a net.
double parameter_count(const RecurrentModelOptions& options, Index outputs) {
  const StackOptions& stack = options.stack;
  const Index sides = stack.bidirectional ? 2 : 1;
  RecurrentOptions above = stack.layer;
  above.embedding = 0;
  const double layers = Recurrent::parameter_count(options.input.size, options.hidden, stack.layer) +
                        static_cast<double>(stack.layers - 1) *
                            Recurrent::parameter_count(sides * options.hidden, options.hidden, above);
  return static_cast<double>(sides) * layers +
         (static_cast<double>(sides * options.hidden) + 1.0) * static_cast<double>(outputs);
}

std::shared_ptr<const Module> make_net(const RecurrentModelOptions& options, Index outputs, Read read) {
  if (options.input.size < 1 || options.hidden < 1 || outputs < 1) {
    throw Error(
        fmt::format("[recurrent] expected at least one input, unit and output, received {}, {} and {}",
                    options.input.size, options.hidden, outputs));
  }
  const Placement placement = options.stack.layer.placement;
  require_room("[recurrent]", parameter_count(options, outputs), placement);
  const Index sides = options.stack.bidirectional ? 2 : 1;
  auto net = std::make_shared<Net>();
  net->add("layers", std::make_shared<const Sequential>(recurrent_stack(
                         options.input.size, options.hidden, options.key.fold("layers"), options.stack)));
  if (read == Read::LastStep) {
    net->add("last", std::make_shared<const LastStep>(
                         LastStepOptions{.from_start = sides == 2 ? options.hidden : 0}));
  }
  if (options.dropout > 0.0) net->add("dropout", std::make_shared<const Dropout>(options.dropout));
  net->add("output",
           std::make_shared<const Linear>(sides * options.hidden, outputs, options.key.fold("output"),
                                          LinearOptions{.placement = placement}));
  return net;
}

void require_one_direction(const RecurrentModelOptions& options) {
  if (options.stack.bidirectional)
    throw Error(
        "[recurrent] expected layers of one direction where a sequence foretells itself, received both");
}

RecurrentModel begun(const RecurrentModelOptions& options) {
  RecurrentModel model;
  if (options.input.domain == Domain::NonNegative)
    throw Error("[recurrent] expected symbols, bits or numbers as input, received a non-negative domain");
  model.x = model.graph.variable("x", options.input.domain, {0, options.input.size});
  return model;
}

}  // namespace

RecurrentModel recurrent_classifier(const RecurrentModelOptions& options, Index classes) {
  RecurrentModel model = begun(options);
  model.y = model.graph.categorical("label", {classes});
  model.net = make_net(options, classes, Read::LastStep);
  model.graph.add(Score(model.y, model.net, model.x));
  return model;
}

RecurrentModel recurrent_regression(const RecurrentModelOptions& options, Index numbers) {
  RecurrentModel model = begun(options);
  model.y = model.graph.real("target", {numbers});
  model.net = make_net(options, numbers, Read::LastStep);
  model.graph.add(SquaredError(model.y, model.net, model.x));
  return model;
}

RecurrentModel sequence_model(const RecurrentModelOptions& options, const SequenceInput& next) {
  RecurrentModel model = begun(options);
  model.y = model.graph.variable("next", next.domain, {0, next.size});
  model.net = make_net(options, next.size, Read::EveryStep);
  model.steps = std::make_shared<const StepLikelihood>(model.y, model.net, model.x);
  model.graph.add(model.steps);
  return model;
}

RecurrentModel autoregressive_model(const RecurrentModelOptions& options) {
  require_one_direction(options);
  RecurrentModel model = begun(options);
  model.y = model.x;
  model.net = make_net(options, options.input.size, Read::EveryStep);
  model.steps =
      std::make_shared<const StepLikelihood>(model.x, model.net, model.x, StepLikelihoodOptions{.delay = 1});
  model.graph.add(model.steps);
  return model;
}

RecurrentRbm recurrent_rbm(const RecurrentModelOptions& options, Index units, double weight_scale) {
  require_one_direction(options);
  if (options.input.domain != Domain::Binary || units < 1) {
    throw Error(fmt::format("[recurrent_rbm] expected bits and at least one hidden unit, received {} and {}",
                            to_string(options.input.domain), units));
  }
  const Placement placement = options.stack.layer.placement;
  const Index size = options.input.size;
  require_room("[recurrent_rbm]", static_cast<double>(size) * static_cast<double>(units), placement);
  RecurrentRbm model;
  model.net = make_net(options, size + units, Read::EveryStep);
  model.x = model.graph.binary("x", {0, size});
  model.v = model.graph.binary("v", {0, size});
  model.h = model.graph.binary("h", {0, units});
  model.pair = std::make_shared<const StepBilinear>(model.v, model.h, options.key.fold("v.h.weight"),
                                                    BilinearOptions{.scale = weight_scale});
  model.biases = std::make_shared<const StepScore>(Block{model.v, model.h}, model.net, model.x,
                                                   StepScoreOptions{.delay = 1});
  model.graph.add(model.pair).add(model.biases);
  model.graph.to(placement);
  return model;
}

}  // namespace basin
