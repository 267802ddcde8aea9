#include "energy/objectives/density/minimum_probability_flow.h"

#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/density/bit_flips.h"

namespace basin {
namespace {

constexpr const char* kWho = "minimum_probability_flow";

}  // namespace

MinimumProbabilityFlow::MinimumProbabilityFlow(Block x, MinimumProbabilityFlowOptions options)
    : x_(std::move(x)), options_(options) {
  require_bits(kWho, x_);
}

Evaluation MinimumProbabilityFlow::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                            Key key, EvaluateOptions options) const {
  const BitFlips flips = bit_flips(kWho, graph, x_, batch, key.fold("bits"), options_.bits);
  const Value loss = flips.weight * sum_per_sample(exp(-0.5 * flips.rise));
  return differentiate(mean(loss), graph, batch.batch(), options);
}

}  // namespace basin
