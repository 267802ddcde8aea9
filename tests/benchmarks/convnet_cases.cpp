#include <fmt/format.h>

#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/factors/score.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/images/conv2d.h"
#include "modules/images/pool2d.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "tensor/backend.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr Index kBatch = 128, kClasses = 10;

/// As many multiply-adds as a step of training takes, in products of matrices of a size that libraries like.
class Arithmetic {
 public:
  explicit Arithmetic(double mflop_per_image)
      : rows_(static_cast<Index>(mflop_per_image * 1e6 * kBatch / (2.0 * kSide * kSide))),
        a_(Tensor::full({rows_, kSide}, 0.5)),
        b_(Tensor::full({kSide, kSide}, 0.5)),
        c_(Tensor::zeros({rows_, kSide})) {}

  void run() const { multiply(a_, false, b_, false, c_, {1e-3}); }

 private:
  static constexpr Index kSide = 256;
  Index rows_;
  Tensor a_, b_, c_;
};

Sequential lenet5(Key key) {
  const Activation squash(Activation::Kind::Tanh);
  const Pool2d pool(Pool2d::Kind::Average, {2, 2});
  return Sequential()
      .add(Conv2d(1, 6, {5, 5}, key.fold(1), {.padding = {2, 2}}))
      .add(squash)
      .add(pool)
      .add(Conv2d(6, 16, {5, 5}, key.fold(2)))
      .add(squash)
      .add(pool)
      .add(Flatten())
      .add(Linear(400, 120, key.fold(3)))
      .add(squash)
      .add(Linear(120, 84, key.fold(4)))
      .add(squash)
      .add(Linear(84, kClasses, key.fold(5)));
}

Sequential conv32_64(Key key) {
  const Activation rectify(Activation::Kind::Relu);
  return Sequential()
      .add(Conv2d(1, 32, {3, 3}, key.fold(1), {.padding = {1, 1}}))
      .add(rectify)
      .add(Conv2d(32, 64, {3, 3}, key.fold(2), {.padding = {1, 1}}))
      .add(rectify)
      .add(Pool2d(Pool2d::Kind::Max, {2, 2}))
      .add(Flatten())
      .add(Linear(64 * 14 * 14, 128, key.fold(3)))
      .add(rectify)
      .add(Linear(128, kClasses, key.fold(4)));
}

/// Steps of stochastic gradients on one batch of noise, as the peers take them.
void train(const std::string& name, Sequential net, double mflop_per_image, const Arguments& arguments) {
  if (!arguments.wants(name)) return;
  FactorGraph graph;
  const Variable image = graph.real("image", {1, 28, 28}), label = graph.categorical("label", {kClasses});
  graph.add(Score(label, std::move(net), image));
  const Contrast likelihood = ConditionalLikelihood({label});
  const std::vector<Parameter> parameters = graph.parameters();
  std::vector<double> labels(kBatch * kClasses, 0.0);
  for (std::size_t n = 0; n < kBatch; ++n) labels[n * kClasses + n * 7 % kClasses] = 1.0;
  const State batch = State()
                          .set(image, normal(Key(1), {kBatch, 1, 28, 28}))
                          .set(label, Tensor::from(labels, {kBatch, kClasses}));
  Sgd sgd({.learning_rate = 0.01, .momentum = 0.9});
  Carry carry;
  std::uint64_t step = 0;
  const Arithmetic arithmetic(mflop_per_image);
  measure(
      name, "images/s", kBatch,
      [&] {
        sgd.step(parameters,
                 likelihood.evaluate(graph, batch, carry, Key(2).fold(step++), {.metrics = false}).gradients,
                 {});
      },
      [&] { arithmetic.run(); }, arguments);
}

}  // namespace

void convnet(const Arguments& arguments) {
  train("convnet_lenet5_b128", lenet5(Key(1)), 2.264, arguments);
  train("convnet_conv32_64_b128", conv32_64(Key(1)), 97.25, arguments);
}

}  // namespace basin::benchmarks
