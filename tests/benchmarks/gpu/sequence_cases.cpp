#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "benchmarks/gpu/gpu_case.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/graph.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "modules/sequential/sequential.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

/// A step of training an LSTM on symbols: 65 of them, 128 units, sequences of 100, gradients clipped to
/// norm 5.
Job lstm(const Setting& setting) {
  const Index rows = setting.size(64, 3), length = setting.size(100, 4), symbols = setting.size(65, 5),
              hidden = setting.size(128, 6), gates = 4 * hidden, all = rows * length;
  const auto graph = std::make_shared<FactorGraph>();
  const Variable x = graph->categorical("input", {0, symbols}), y = graph->categorical("next", {0, symbols});
  Sequential net;
  net.add(Recurrent(symbols, hidden, Key(2), {.embedding = hidden})).add(Linear(hidden, symbols, Key(3)));
  graph->add(StepLikelihood(y, std::move(net), x));
  graph->to(setting.placement);
  const auto drawn = [&](Key key) {
    return largest(uniform(key, {rows, length, symbols}, setting.placement), 1);
  };
  const State batch = State().set(x, drawn(Key(4))).set(y, drawn(Key(5)));
  const auto sgd = std::make_shared<Sgd>(SgdOptions{.learning_rate = 0.1, .restraints = {.clip_norm = 5.0}});
  const auto carry = std::make_shared<Carry>();
  const double weights = static_cast<double>(gates * hidden * 2 + hidden * symbols);
  return {
      .run =
          [=, parameters = graph->parameters()] {
            sgd->step(parameters,
                      SequenceEnergy().evaluate(*graph, batch, *carry, Key(6), {.metrics = false}).gradients,
                      {});
          },
      .alone = products(setting, {{all, gates, hidden},
                                  {all, gates, hidden},
                                  {all, symbols, hidden},
                                  {all, hidden, gates},
                                  {all, hidden, gates},
                                  {all, hidden, symbols},
                                  {hidden, gates, all},
                                  {hidden, gates, all},
                                  {hidden, symbols, all}}),
      .units = 1.0,
      .flops = 6.0 * weights * static_cast<double>(all),
      .bytes = 4.0 * (2.0 * weights * static_cast<double>(length) + 8.0 * static_cast<double>(all * gates))};
}

}  // namespace

std::vector<Case> sequence_cases() {
  return {{.part = "sequences",
           .name = "lstm_h128_t100_b64_c65",
           .unit = "steps/s",
           .over_eager = 2.0,
           .make = lstm}};
}

}  // namespace basin::benchmarks
