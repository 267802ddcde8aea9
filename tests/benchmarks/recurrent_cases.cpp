#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "benchmarks/cases.h"
#include "energy/factors/step_likelihood.h"
#include "energy/graph.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/linear.h"
#include "modules/recurrent.h"
#include "tensor/backend.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr Index kSteps = 100, kBatch = 64, kHidden = 128, kSymbols = 65, kGates = 4 * kHidden;

Value symbols(Key key) {
  const Value scores = uniform(key, {kBatch, kSteps, kSymbols});
  return largest(scores, 1);
}

/// C = A B of the sizes of one product of the net, and of its two gradients.
struct Product {
  Product(Index m, Index n, Index k)
      : a(normal(Key(1), {m, k})),
        b(normal(Key(2), {k, n})),
        c(normal(Key(3), {m, n})),
        da({m, k}),
        db({k, n}) {}

  void forward() const { run(a, false, b, false, c); }
  void backward() const {
    run(c, false, b, true, da);
    run(a, true, c, false, db);
  }

  static void run(const Tensor& a, bool ta, const Tensor& b, bool tb, const Tensor& c) {
    GemmCall call{.transpose_a = ta, .transpose_b = tb, .m = c.dim(0), .n = c.dim(1), .k = a.dim(ta ? 0 : 1)};
    call.a = a.data();
    call.lda = a.dim(1);
    call.b = b.data();
    call.ldb = b.dim(1);
    call.c = c.data();
    call.ldc = c.dim(1);
    backend(Device::Cpu).gemm(call);
  }

  Tensor a, b, c, da, db;
};

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
      product->backward();
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
