#include "training/experiment/joint_terms.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/bound_objective.h"
#include "energy/objectives/sum_objective.h"
#include "tensor/error.h"
#include "training/everywhere.h"

namespace basin {
namespace {

/// Batches of samples as stage i learns from them: of the first those of its training, of others what the
/// encoders below give, held.
Source batches_of(const std::vector<Stage>& stages, std::size_t i, const Samples& samples) {
  if (i == 0) {
    Dataset data;
    data.train = samples;
    return training_batches(stages[0], data);
  }
  const Source whole = whole_means(stages[0], samples);
  return {whole.count(), [stages, i, whole](std::span<const Index> rows, Key key) {
            const State batch = whole.batch(rows, key);
            Value x = batch[whole_variable(stages[0])];
            for (std::size_t k = 0; k < i; ++k)
              x = passed_on(stages[k])->forward(x, batch.context().fold(k)).detached();
            const Variable& input = stages[i].inputs.at(0).variable;
            Shape shape = input.shape;
            shape.insert(shape.begin(), x.dim(0));
            State state;
            state.in(batch.context()).set(input, reshape(x, shape));
            return state;
          }};
}

}  // namespace

void add_joint_terms(Stage& head, const std::vector<Stage>& stages, const JointWeights& weights,
                     const std::function<Samples()>& samples) {
  refuse_patches("fine_tune.joint", stages);
  std::vector<SumObjective::Term> terms = {{1.0, head.objective}};
  std::vector<std::size_t> joined;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto weight = weights.find(stages[i].name);
    if (weight == weights.end()) continue;
    if (stages[i].inputs.size() > 1 || stages[i].batches) {
      throw Error(
          fmt::format("[fine_tune.joint] expected stages that learn from samples alone, received {} ({})",
                      stages[i].name, stages[i].kind));
    }
    terms.emplace_back(weight->second,
                       std::make_shared<const BoundObjective>(stages[i].graph, stages[i].objective,
                                                              stages[i].name, head.graph.parameters()),
                       terms.size());
    joined.push_back(i);
  }
  head.objective = std::make_shared<const SumObjective>(std::move(terms));
  head.further = [stages, joined, samples] {
    const Samples all = samples();
    std::vector<Source> sources;
    for (const std::size_t i : joined) sources.push_back(batches_of(stages, i, all));
    return sources;
  };
}

}  // namespace basin
