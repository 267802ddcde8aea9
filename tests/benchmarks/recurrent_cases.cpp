#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/graph.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr Index kSteps = 100, kBatch = 64, kHidden = 128, kSymbols = 65, kGates = 4 * kHidden;

Value symbols(Key key) {
  const Value scores = uniform(key, {kBatch, kSteps, kSymbols});
  return largest(scores, 1);
}

void lstm(const Arguments& arguments, Steps steps) {
  const std::string name = fmt::format("{}lstm_h{}_t{}_b{}_c{}", steps == Steps::Fused ? "" : "derived_",
                                       kHidden, kSteps, kBatch, kSymbols);
  if (!arguments.wants(name)) return;
  FactorGraph graph;
  const Variable x = graph.categorical("input", {0, kSymbols}), y = graph.categorical("next", {0, kSymbols});
  Sequential net;
  net.add(Recurrent(kSymbols, kHidden, Key(2), {.embedding = kHidden, .steps = steps}))
      .add(Linear(kHidden, kSymbols, Key(3)));
  graph.add(StepLikelihood(y, std::move(net), x));
  const SequenceEnergy objective;
  const State batch = State().set(x, symbols(Key(4))).set(y, symbols(Key(5)));
  const std::vector<Parameter> parameters = graph.parameters();
  Sgd sgd({.learning_rate = 0.1});
  Carry carry;
  const auto step = [&] {
    const Evaluation found = objective.evaluate(graph, batch, carry, Key(6), {.metrics = false});
    double squares = 0.0;  // the peer's clips by norm
    for (const Gradient& gradient : found.gradients) squares += sum(square(Value(gradient.dense()))).item();
    if (std::sqrt(squares) < 5.0) sgd.step(parameters, found.gradients, {});
  };
  // The products of the net as the peer has it, of all steps at once, which no order of steps can pass.
  const Index rows = kBatch * kSteps;
  const Product input(rows, kGates, kHidden), recurrent(rows, kGates, kHidden),
      output(rows, kSymbols, kHidden);
  const auto least = [&] {
    for (const Product* product : {&input, &recurrent, &output}) {
      product->forward();
      product->gradient_of_input();
      product->gradient_of_weights();
    }
  };
  measure(name, "steps/s", 1.0, step, least, arguments);
}

}  // namespace

void lstm(const Arguments& arguments) {
  lstm(arguments, Steps::Fused);
  lstm(arguments, Steps::Composed);
}

}  // namespace basin::benchmarks
