#include "energy/objectives/mean_energy.h"

#include "autograd/ops.h"

namespace basin {

Evaluation MeanEnergy::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                                EvaluateOptions options) const {
  const Value loss =
      mean(graph.energy(observed(options_.prepare ? options_.prepare(batch, key) : batch, options)));
  return differentiate(loss, graph, batch.batch(), options);
}

}  // namespace basin
