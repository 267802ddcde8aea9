#include "energy/objectives/density/sliced_score_matching.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/objectives/density/score_slope.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr const char* kWho = "sliced_score_matching";

}  // namespace

SlicedScoreMatching::SlicedScoreMatching(Block x, SlicedScoreMatchingOptions options)
    : x_(std::move(x)), options_(options) {
  require_domain(kWho, x_, Domain::Real, "take ratio_matching or pseudo_likelihood of bits");
  if (options_.projections < 1)
    throw Error(fmt::format("[{}] expected at least 1 projection, received {}", kWho, options_.projections));
}

Evaluation SlicedScoreMatching::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                         Key key, EvaluateOptions options) const {
  const Joined joined(kWho, graph, x_, Domain::Real, batch);
  require_smooth(kWho, graph, joined.block, Derivatives::Second);
  const ScoreSlope at = score_slope(graph, joined, batch, joined.values(batch).detached());
  const bool whole = options_.square == SlicedSquare::Whole;
  const auto first = static_cast<std::uint64_t>(batch.context().own_row() * joined.size);
  Value total;
  for (Index m = 0; m < options_.projections; ++m) {
    const Value coins = uniform(key.fold("directions").fold(static_cast<std::uint64_t>(m)), at.x.shape(),
                                at.x.placement(), first);
    const Value v = 2.0 * step(coins - 0.5) - 1.0;
    const Value along = dot_per_sample(at.slope, v);
    const Value bent = dot_per_sample(slope_of(along, at.x), v);
    const Value part = (whole ? -bent : 0.5 * square(along) - bent);
    total = total.defined() ? total + part : part;
  }
  total = total * (1.0 / static_cast<double>(options_.projections));
  if (whole) total = total + 0.5 * sum_per_sample(square(at.slope));
  return differentiate(mean(total), graph, batch.batch(), options);
}

}  // namespace basin
