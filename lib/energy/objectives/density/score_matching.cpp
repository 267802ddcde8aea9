#include "energy/objectives/density/score_matching.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/density/score_slope.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kWho = "score_matching";

}  // namespace

ScoreMatching::ScoreMatching(Block x, ScoreMatchingOptions options) : x_(std::move(x)), options_(options) {
  require_domain(kWho, x_, Domain::Real, "take ratio_matching or pseudo_likelihood of bits");
}

Evaluation ScoreMatching::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                   Key /*key*/, EvaluateOptions options) const {
  const Joined joined(kWho, graph, x_, Domain::Real, batch);
  if (joined.size > options_.most_numbers) {
    throw Error(
        fmt::format("[{}] expected at most {} numbers a sample, each of which costs a pass, received "
                    "{}; take sliced_score_matching, or raise ScoreMatchingOptions::most_numbers",
                    kWho, options_.most_numbers, joined.size));
  }
  require_smooth(kWho, graph, joined.block, Derivatives::Second);
  const ScoreSlope at = score_slope(graph, joined, batch, joined.values(batch).detached());
  Value loss = 0.5 * sum_per_sample(square(at.slope));
  for (Index i = 0; i < joined.size; ++i)
    loss = loss - sum_per_sample(slice(slope_of(slice(at.slope, 1, i, i + 1), at.x), 1, i, i + 1));
  return differentiate(mean(loss), graph, batch.batch(), options);
}

}  // namespace basin
