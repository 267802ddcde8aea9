#include "energy/minimise/dictionary.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-12;  // below it a row counts as zeros

/// What the factor that owns the parameter explains.
const Variable& target_of(const FactorGraph& graph, const Parameter& dictionary) {
  for (const auto& [error, weight] : graph.factors<SquaredError>()) {
    for (const Parameter& own : error->parameters()) {
      if (own.name() == dictionary.name()) return error->target();
    }
  }
  throw Error(
      fmt::format("[dictionary] expected {} to be a parameter of a SquaredError, received none that has it",
                  dictionary.name()));
}

/// A number in 0 .. count-1, from one uniform.
Index pick(Key key, Index count) {
  const double u = uniform(key, {1}, {Dtype::F64, Device::Cpu}).item();
  return std::min(static_cast<Index>(u * static_cast<double>(count)), count - 1);
}

/// A piece of a sample [C, H, W] (or [H, W]) as large as a row [C, h, w] (or [h, w]), or the whole where
/// sizes agree.
Value piece(const Value& sample, const Shape& row, const std::string& name, Key key) {
  if (sample.tensor().size() == element_count(row)) return reshape(sample, row);
  const Index rank = sample.rank();
  bool fits = rank == static_cast<Index>(row.size()) && rank >= 2;
  for (Index axis = 0; fits && axis < rank; ++axis) {
    const Index have = sample.dim(axis), want = row[static_cast<std::size_t>(axis)];
    fits = axis < rank - 2 ? have == want : have >= want;
  }
  if (!fits) {
    throw Error(fmt::format(
        "[dictionary] expected rows of {} to be as large as a sample {}, or patches of it, received {}", name,
        to_string(sample.shape()), to_string(row)));
  }
  Value cut = sample;
  for (Index axis = rank - 2; axis < rank; ++axis) {
    const Index want = row[static_cast<std::size_t>(axis)];
    const Index begin = pick(key.fold(static_cast<std::uint64_t>(axis)), sample.dim(axis) - want + 1);
    cut = slice(cut, axis, begin, begin + want);
  }
  return cut;
}

}  // namespace

void scale_to_unit_norm(const Tensor& dictionary) {
  const Tensor rows = dictionary.reshaped({dictionary.dim(0), dictionary.size() / dictionary.dim(0)});
  const Value norm = sqrt(sum(square(Value(rows)), {1}, {.keep = true}));
  // A row of zeros is divided by 1.
  const Value divisor = norm + (1.0 - step(norm - kTiny));
  rows.copy_from((Value(rows) / divisor).tensor());
}

void count_idle(const Value& z, const Tensor& idle) {
  const Index samples = z.dim(0), atoms = z.dim(1);
  Value used = max(abs(z.detached()), 0);
  if (z.rank() > 2) used = max(reshape(used, {atoms, z.tensor().size() / (samples * atoms)}), 1);
  const std::vector<double> largest = used.tensor().values();
  double* counts = idle.host<double>();
  for (std::size_t k = 0; k < largest.size(); ++k) counts[k] = largest[k] > 0.0 ? 0.0 : counts[k] + 1.0;
}

std::vector<Index> replace_idle(const FactorGraph& graph, const Parameter& dictionary, const State& batch,
                                const Tensor& idle, Index limit, Key key) {
  const Tensor& weights = dictionary.tensor();
  const double* counts = idle.host<double>();
  std::vector<Index> replaced;
  for (Index k = 0; k < weights.dim(0); ++k) {
    if (counts[k] < static_cast<double>(limit)) continue;
    const Variable& target = target_of(graph, dictionary);
    const Key own = key.fold(static_cast<std::uint64_t>(k));
    const Index n = pick(own.fold("sample"), batch.batch());
    const Shape row(weights.shape().begin() + 1, weights.shape().end());
    const Value sample = reshape(slice(batch[target], 0, n, n + 1), target.shape);
    const Value cut = piece(sample, row, dictionary.name(), own.fold("place"));
    const double norm = std::sqrt(sum(square(cut)).item());
    if (!(norm > kTiny)) continue;
    weights.rows(k, k + 1).copy_from(reshape(cut * (1.0 / norm), weights.rows(k, k + 1).shape()).tensor());
    replaced.push_back(k);
  }
  return replaced;
}

}  // namespace basin
