#include "energy/objectives/density/denoising_score_matching.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/density/score_slope.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr const char* kWho = "denoising_score_matching";

}  // namespace

DenoisingScoreMatching::DenoisingScoreMatching(Block x, DenoisingScoreMatchingOptions options)
    : x_(std::move(x)), options_(options) {
  require_domain(kWho, x_, Domain::Real, "take ratio_matching or pseudo_likelihood of bits");
  if (!(options_.noise > 0.0 && std::isfinite(options_.noise)))
    throw Error(fmt::format("[{}] expected a finite noise > 0, received {}", kWho, options_.noise));
}

Evaluation DenoisingScoreMatching::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                            Key key, EvaluateOptions options) const {
  const Joined joined(kWho, graph, x_, Domain::Real, batch);
  require_smooth(kWho, graph, joined.block, Derivatives::First);
  const Value x = joined.values(batch).detached();
  const auto first = static_cast<std::uint64_t>(batch.context().own_row() * joined.size);
  const Value noise = normal(key.fold("noise"), x.shape(), x.placement(), first);
  const ScoreSlope at = score_slope(graph, joined, batch, x + options_.noise * noise);
  const Value loss = 0.5 * mean(sum_per_sample(square(options_.noise * at.slope - noise)));
  return differentiate(loss, graph, batch.batch(), options);
}

}  // namespace basin
