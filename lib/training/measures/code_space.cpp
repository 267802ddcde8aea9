#include "training/measures/code_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops.h"
#include "models/room.h"
#include "tensor/error.h"
#include "training/deep_codes.h"
#include "training/distances.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kQueries = 200;  // whose distances stand in memory at a time

/// Null: there is none.
std::shared_ptr<const Module> encoder_of(const Stage& stage) {
  const auto* below = stage.facets.get<DeepCodes>();
  return below != nullptr ? below->encoder : stage.encoder;
}

Tensor rows_on_host(const Value& rows) {
  const Tensor flat = flatten(rows.detached()).tensor();  // maybe of the buffer of the next batch, too
  return flat.clone().to({Dtype::F32, Device::Cpu});
}

}  // namespace

void check_code_space(const Stage& stage, const char* who) {
  if (!encoder_of(stage)) refuse_facet(who, "an encoder", stage.kind);
}

CodeSpace code_space(const StageView& view, const Samples& samples, Index most, const char* who) {
  check_code_space(view.stage, who);
  const std::shared_ptr<const Module> encoder = encoder_of(view.stage);
  std::vector<Value> codes, rows;
  const auto visit = [&](const State& part, Index first) {
    const Value& x = part[view.stage.inputs.at(0).variable];
    if (part.context().lengths.defined()) {
      throw Error(
          fmt::format("[{}] expected samples and codes of one size, received sequences with lengths", who));
    }
    const Tensor found = rows_on_host(encoder->forward(x, part.context().with({})));
    const Tensor seen = rows_on_host(x);
    if (first == 0) {
      require_room(fmt::format("[{}] {} samples and their codes", who, std::min(most, samples.count)),
                   2.0 * static_cast<double>(std::min(most, samples.count)) *
                       static_cast<double>(found.dim(1) + seen.dim(1)),
                   found.placement());
    }
    if (first > 0 && (found.dim(1) != codes[0].dim(1) || seen.dim(1) != rows[0].dim(1))) {
      throw Error(
          fmt::format("[{}] expected samples and codes of one size, received others; take sequences of "
                      "one length",
                      who));
    }
    for (const double number : found.values()) {
      if (!std::isfinite(number))
        throw Error(fmt::format("[{}] expected codes that are numbers, received {}", who, number));
    }
    codes.emplace_back(found);
    rows.emplace_back(seen);
  };
  const Index count =
      walk_through(stage_means(view.stage, samples), most, view.stage.key.fold("evaluate"), visit);
  if (count == 0) throw Error(fmt::format("[{}] expected samples, received none", who));
  CodeSpace space{.codes = concat(codes, 0).tensor(), .samples = concat(rows, 0).tensor(), .labels = {}};
  if (const Column* labels = samples.labels())
    space.labels.assign(labels->integers().begin(), labels->integers().begin() + count);
  return space;
}

Tensor distances_in_f64(const Tensor& a, const Tensor& b) {
  return relu(squared_distances(a.to(Dtype::F64), b.to(Dtype::F64))).tensor();
}

void rank_by_distance(const Tensor& queries, const Tensor& all,
                      const std::function<void(Index query, std::span<const Index> ranked)>& visit) {
  std::vector<Index> ranked(static_cast<std::size_t>(all.dim(0)));
  for (Index begin = 0; begin < queries.dim(0); begin += kQueries) {
    const Index end = std::min(begin + kQueries, queries.dim(0));
    const Tensor part = slice(Value(queries), 0, begin, end).tensor();
    const std::vector<double> distances = distances_in_f64(part, all).values();
    for (Index query = begin; query < end; ++query) {
      const double* row = distances.data() + (query - begin) * all.dim(0);
      std::iota(ranked.begin(), ranked.end(), Index{0});
      std::ranges::stable_sort(ranked, [&](Index i, Index j) { return row[i] < row[j]; });
      visit(query, ranked);
    }
  }
}

}  // namespace basin
