#include <cstdio>
#include <numeric>

#include "data/generators/bars_and_stripes.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "models/rbm.h"
#include "training/fit.h"
#include "training/optimizers/sgd.h"

// An RBM learns the 30 bars-and-stripes patterns; its negative log-likelihood starts at 11.1 nats, and no
// model gets below 3.4.
int main() {
  using namespace basin;
  const Key key(7);
  const Samples samples = bars_and_stripes();
  const Rbm model = rbm({.visible_shape = samples.shape(), .hidden_units = 12, .key = key.fold("model")});
  const Contrast objective = ExactLikelihood({model.v});
  fit(model.graph, objective, samples, Sgd({.learning_rate = 0.5, .momentum = 0.9}),
      {.epochs = 400, .batch = 30, .key = key.fold("fit")});

  std::vector<Index> rows(static_cast<std::size_t>(samples.count));
  std::iota(rows.begin(), rows.end(), Index{0});
  const Tensor patterns({samples.count, 4, 4});
  fill_batch(samples.first(), rows, {}, patterns);
  Carry carry;
  const double loss =
      objective.evaluate(model.graph, State().set(model.v, patterns), carry, key).metrics.at("loss");
  std::printf("loss %.4f nats\n", loss);
  return loss > 3.4 && loss < 4.5 ? 0 : 1;
}
