#include "energy/objectives/labels/structured_loss.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/demanded.h"
#include "energy/eliminate/component_energy.h"
#include "energy/ends.h"
#include "energy/factors/linear_input.h"
#include "energy/objectives/contrast/persistent_chains.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Kind = StructuredLoss::Kind;

/// Above any energy, for what may not be chosen.
constexpr double kNever = 1e30;

/// 1 where a position of an output stands inside its sequence, of the rank of y with a last extent of 1 for
/// one-hot groups.
Value counted(const FactorGraph& graph, const Variable& output, const State& batch) {
  Shape shape = batch[output].shape();
  if (output.domain == Domain::Categorical) shape.back() = 1;
  const Value ones = Tensor::full(shape, 1.0, batch.placement());
  if (!batch.context().lengths.defined() || !contains(graph.sequences(), output)) return ones;
  return ones * inside_lengths(graph.find(output.name), shape, batch.context(), batch.placement());
}

/// A graph with an input to each output, and the batch without these and with the inputs.
struct Driven {
  FactorGraph graph;
  State at;
};

Driven driven(const FactorGraph& graph, const Block& outputs, const State& batch,
              const std::vector<Value>& inputs) {
  Driven made{graph, outside(graph, outputs, batch)};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Variable y = resolved(graph, outputs[i], batch);
    const Variable input = made.graph.real(y.name + ".drive", y.shape);
    made.graph.add(LinearInput(outputs[i], input));
    made.at.set(input, inputs[i]);
  }
  return made;
}

/// E(y*) or F(y*).
Value of_answer(const FactorGraph& graph, const Block& latents, const State& batch, Kind kind,
                const EliminateOptions& options) {
  if (latents.empty()) return graph.energy(batch);
  return kind == Kind::Nll ? free_energy(graph, latents, batch, options)
                           : min_energy(graph, latents, batch, options);
}

/// min_y [ E(y) - c Hamming(y, y*) ].
Value cost_augmented(const FactorGraph& graph, const Block& outputs, const Block& all, const State& batch,
                     const StructuredLossOptions& options) {
  std::vector<Value> inputs;
  Value constant = Tensor::zeros({batch.batch()}, batch.placement());
  for (const Variable& output : outputs) {
    const Value y = batch[output].detached(), inside = counted(graph, output, batch);
    if (output.domain == Domain::Binary) {  // y* + (1 - 2 y*) y
      constant = constant - options.cost * sum_per_sample(y * inside);
      inputs.push_back(options.cost * inside * (1.0 - 2.0 * y));
    } else {
      inputs.push_back(options.cost * inside * (1.0 - y));
    }
  }
  const Driven costly = driven(graph, outputs, batch, inputs);
  return constant + min_energy(costly.graph, all, costly.at, options.eliminate);
}

/// The least E(y) with y != y*.
Value offending(const FactorGraph& graph, const Block& outputs, const Block& all, const State& batch,
                const EliminateOptions& options) {
  const Index rows = batch.batch();
  Index positions = 0;
  for (const Variable& output : outputs)
    positions += batch[output].tensor().size() / std::max<Index>(rows, 1) / output.shape.back();
  std::vector<Value> inputs, outside_of;
  Index begin = 0;
  for (const Variable& output : outputs) {
    // Row n p + q bars y*'s value at position q.
    const Shape own = batch[output].shape();
    const Index states = output.shape.back(),
                count = batch[output].tensor().size() / std::max<Index>(rows, 1) / states;
    std::vector<double> barred(static_cast<std::size_t>(positions * count), 0.0);
    for (Index q = 0; q < count; ++q) barred[static_cast<std::size_t>((begin + q) * count + q)] = -kNever;
    const Value bar = Tensor::from(barred, {1, positions, count, 1}, batch.placement());
    Shape shape = own;
    shape[0] = rows * positions;
    inputs.push_back(reshape(bar * reshape(batch[output].detached(), {rows, 1, count, states}), shape));
    outside_of.push_back(1.0 - reshape(counted(graph, output, batch), {rows, count}));
    begin += count;
  }
  const Driven barring = driven(graph, outputs, replicated(graph, batch, positions), inputs);
  const Value each = reshape(min_energy(barring.graph, all, barring.at, options), {rows, positions});
  return -max(-(each + kNever * concat(outside_of, 1)), 1);
}

void require_one_hot(const FactorGraph& graph, const Block& outputs, const State& batch) {
  for (const Variable& output : outputs) {
    const Value y = batch[output].detached();
    const Value ideal = output.domain == Domain::Binary ? step(y - 0.5) : largest(y, 1);
    demand_none(
        "structured_loss " + output.name, abs(y - ideal) * counted(graph, output, batch),
        fmt::format("[structured_loss] expected values of {} that are {}, received others; bind the labels' "
                    "column to it",
                    output.name, output.domain == Domain::Binary ? "0 or 1" : "one-hot"));
  }
}

}  // namespace

StructuredLoss::StructuredLoss(Block outputs, Kind kind, StructuredLossOptions options)
    : outputs_(std::move(outputs)), kind_(kind), options_(options) {
  if (outputs_.empty())
    throw Error(
        "[structured_loss] expected a variable that the loss is of, received none; name it, as in {y}");
  for (const Variable& output : outputs_) {
    const bool fits =
        output.domain == Domain::Categorical || (output.domain == Domain::Binary && kind_ != Kind::Mce);
    if (!fits)
      throw Error(fmt::format("[structured_loss] expected categorical outputs{}, received {}, which is {}",
                              kind_ == Kind::Mce ? "" : " or binary ones", output.name,
                              to_string(output.domain)));
  }
  if (!(options.cost >= 0.0 && std::isfinite(options.cost)))
    throw Error(fmt::format("[structured_loss] expected a cost >= 0, received {}", options.cost));
}

std::string StructuredLoss::name() const {
  return "structured_" + structured_losses()[static_cast<std::size_t>(kind_)];
}

std::string StructuredLoss::unit() const {
  return kind_ == Kind::Mce ? "1" : kind_ == Kind::Nll ? "nats" : "energy";
}

Value StructuredLoss::losses(const FactorGraph& graph, const State& batch) const {
  for (const Variable& output : outputs_) {
    if (batch.has(output)) continue;
    throw Error(fmt::format(
        "[structured_loss] expected the batch to hold {}, received none; bind a column of the data to it",
        output.name));
  }
  const Block latents = missing(graph.variables(), batch);
  Block all = outputs_;
  all.insert(all.end(), latents.begin(), latents.end());
  const Value answer = of_answer(graph, latents, batch, kind_, options_.eliminate);
  switch (kind_) {
    case Kind::Perceptron:
      return answer - min_energy(graph, all, outside(graph, outputs_, batch), options_.eliminate);
    case Kind::Hinge:
      return answer - cost_augmented(graph, outputs_, all, batch, options_);
    case Kind::Nll:
      return answer - free_energy(graph, all, outside(graph, outputs_, batch), options_.eliminate);
    case Kind::Mce:
      break;
  }
  return sigmoid(answer - offending(graph, outputs_, all, batch, options_.eliminate));
}

Evaluation StructuredLoss::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                    Key /*key*/, EvaluateOptions options) const {
  const Value each = losses(graph, batch);
  if (options.metrics) require_one_hot(graph, outputs_, batch);
  Evaluation evaluation = differentiate(mean(each), graph, batch.batch(), options);
  if (options.metrics) {
    const bool exact = batch.placement().dtype == Dtype::F64;
    const Value above = kind_ == Kind::Perceptron
                            ? each
                            : StructuredLoss(outputs_, Kind::Perceptron, options_).losses(graph, batch);
    evaluation.metrics["error"] = mean(step(above.detached() - (exact ? 1e-9 : 1e-4))).item();
  }
  return evaluation;
}

const std::vector<std::string>& structured_losses() {
  static const std::vector<std::string> names = {"perceptron", "hinge", "nll", "mce"};
  return names;
}

StructuredLoss::Kind structured_loss(std::string_view name) {
  const auto& names = structured_losses();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw Error(
        fmt::format("[structured_loss] expected one of {}, received '{}'", fmt::join(names, ", "), name));
  return static_cast<StructuredLoss::Kind>(found - names.begin());
}

}  // namespace basin
