#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/catalog.h"
#include "energy/factors/score.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "training/fit.h"
#include "training/optimizers/sgd.h"
#include "training/walk.h"

namespace basin::test {
namespace {

/// E(x, y) = -y.f(x) of images and their labels.
struct Classifier {
  FactorGraph graph;
  Variable x, y;

  template <class F>
  explicit Classifier(F f) {
    x = graph.real("image", {784});
    y = graph.categorical("label", {10});
    graph.add(Score(y, std::move(f), x));
    graph.to(f32());
  }

  void learn(const Samples& labelled, double weight_decay, Key key) const {
    fit(graph, ConditionalLikelihood({y}), labelled,
        Sgd({.learning_rate = Schedule::linear(0.1, 0.0), .momentum = 0.9, .weight_decay = weight_decay}),
        {.epochs = 30, .batch = 50, .key = key});
  }

  /// Without noise: nobody gave these states a key.
  double error(const Samples& samples) const {
    const Source source(samples, inputs_of(graph, samples), graph.placement());
    const State all = samples_between(source, 0, samples.count, Key(0));
    const std::vector<double> scores = conditional(graph, {y}, all).front().input.tensor().values(),
                              labels = all[y].tensor().values();
    double wrong = 0.0;
    for (auto n = scores.begin(); n != scores.end(); n += 10)
      wrong += labels[static_cast<std::size_t>(std::max_element(n, n + 10) - scores.begin())] == 0.0;
    return wrong / static_cast<double>(samples.count);
  }
};

// 1,000 labels of strokes, drawn five times: a network with dropout, trained as an energy over labels,
// against softmax regression whose L2 is chosen on validation samples.
TEST(ClassifierTest, ADeepEnergyOverLabelsBeatsSoftmaxRegression) {
  if (test::is_guarded()) GTEST_SKIP() << "a whole training takes minutes on guarded pages";
  constexpr std::uint64_t kSeeds = 5;
  double sum = 0.0, squares = 0.0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Key key(seed);
    const Dataset data = load_dataset(
        "strokes", {.train = 3000, .test = 2000, .validation = 1000, .labels = 1000, .labels_seed = seed});
    double chosen = 1.0, regression = 1.0;
    for (const double weight_decay : {1e-4, 1e-3, 1e-2, 1e-1}) {
      const Classifier softmax(Linear(784, 10, key.fold("softmax")));
      softmax.learn(data.labelled, weight_decay, key.fold("fit"));
      if (const double error = softmax.error(data.validation); error < chosen) {
        chosen = error;
        regression = softmax.error(data.test);
      }
    }
    const Classifier network(Sequential()
                                 .add(Linear(784, 128, key.fold("hidden")))
                                 .add(Activation(Activation::Kind::Relu))
                                 .add(Dropout(0.5))
                                 .add(Linear(128, 10, key.fold("scores"))));
    network.learn(data.labelled, 1e-3, key.fold("fit"));
    const double difference = regression - network.error(data.test);
    sum += difference;
    squares += difference * difference;
  }
  const double n = kSeeds, mean = sum / n,
               standard_error = std::sqrt((squares / n - mean * mean) / (n - 1.0));
  EXPECT_GT(mean, 2.0 * standard_error) << mean << " +- " << standard_error;
}

}  // namespace
}  // namespace basin::test
