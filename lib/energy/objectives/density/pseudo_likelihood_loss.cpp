#include "energy/objectives/density/pseudo_likelihood_loss.h"

#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/density/bit_flips.h"

namespace basin {
namespace {

constexpr const char* kWho = "pseudo_likelihood";

}  // namespace

PseudoLikelihoodLoss::PseudoLikelihoodLoss(Block x, PseudoLikelihoodLossOptions options)
    : x_(std::move(x)), options_(options) {
  require_bits(kWho, x_);
}

Evaluation PseudoLikelihoodLoss::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                          Key key, EvaluateOptions options) const {
  const BitFlips flips = bit_flips(kWho, graph, x_, batch, key.fold("bits"), options_.bits);
  const Value loss = flips.weight * sum_per_sample(softplus(-flips.rise));
  return differentiate(mean(loss), graph, batch.batch(), options);
}

}  // namespace basin
