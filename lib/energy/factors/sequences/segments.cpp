#include "energy/factors/sequences/segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/factors/sequences/segment_lattice.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Lower triangle of ones and the diagonal, turned: [n, n], 1 where row <= column.
Tensor running(Index n, Placement placement) {
  std::vector<double> numbers;
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) numbers.push_back(i <= j ? 1.0 : 0.0);
  }
  return Tensor::from(numbers, {n, n}, placement);
}

Tensor counted(Index n, double first, Placement placement) {
  std::vector<double> numbers;
  for (Index i = 0; i < n; ++i) numbers.push_back(first + static_cast<double>(i));
  return Tensor::from(numbers, {1, n}, placement);
}

/// 1 where |a - b| is below a half.
Value equal(const Value& a, const Value& b) { return 1.0 - step(abs(a - b) - 0.5); }

/// What is said of z [N, T, D] without history: where its segments end and how many there are so far.
struct Cuts {
  Value ends, count;  // [N, T]
  Value faults;       // [N]: 0 where all stretches are covered once
};

Cuts cuts_of(const Value& z, const std::vector<Index>& stretches) {
  const Index rows = z.dim(0), cuts = z.dim(1), durations = z.dim(2);
  const Value plain = z.detached();
  Cuts found;
  found.ends = sum(plain, {2});
  found.count = matmul(found.ends, running(cuts, z.placement()));
  std::vector<double> wanted(static_cast<std::size_t>(rows * (cuts + 1)), 0.0);
  for (std::size_t n = 0; n < stretches.size(); ++n) {
    for (Index t = 0; t < stretches[n]; ++t)
      wanted[n * static_cast<std::size_t>(cuts + 1) + static_cast<std::size_t>(t)] = 1.0;
  }
  const Value cover =
      matmul(reshape(plain, {rows, cuts * durations}), segment_cover(cuts, durations, z.placement()));
  found.faults = sum(abs(cover - Tensor::from(wanted, {rows, cuts + 1}, z.placement())), {1});
  return found;
}

/// [N]: 0 where y has labels for so many segments, then nothing.
Value label_faults(const Value& y, const Value& count) {
  const Index rows = y.dim(0), most = y.dim(1), states = y.dim(2);
  const Value plain = y.detached();
  const Value labelled = 1.0 - reshape(slice(plain, 2, states - 1, states), {rows, most});
  const Value wanted = step(reshape(count, {rows, 1}) - counted(most, 0.5, y.placement()));
  return sum(abs(labelled - wanted), {1}) + relu(count - static_cast<double>(most));
}

}  // namespace

Segments::Segments(Variable y, Variable z, std::shared_ptr<const Module> scores, Variable x,
                   SegmentsOptions options)
    : y_(std::move(y)), z_(std::move(z)), x_(std::move(x)), module_(std::move(scores)), options_(options) {
  const auto is_table = [](const Variable& v, Domain domain) {
    return v.domain == domain && v.shape.size() == 2 && !v.is_free();
  };
  if (!is_table(y_, Domain::Categorical) || !is_table(z_, Domain::Binary))
    throw Error(fmt::format(
        "[{}] expected categorical labels [L, K + 1] and binary segments [T, D], received {} {} and {} {}",
        name(), to_string(y_.domain), to_string(y_.shape), to_string(z_.domain), to_string(z_.shape)));
  if (options_.stride < 1)
    throw Error(fmt::format("[{}] expected a stride of at least 1, received {}", name(), options_.stride));
  expect_map(name(), module_, x_, {y_.name, Domain::Real, {z_.shape[0], z_.shape[1], y_.shape[1] - 1}, 0},
             "scores of segments");
}

Value Segments::scores(const State& rest) const {
  return reshape(module_->forward(rest[x_], rest.context()),
                 {rest[x_].dim(0), z_.shape[0], z_.shape[1], y_.shape[1] - 1});
}

std::vector<Index> Segments::stretches(const Context& context, Index rows) const {
  std::vector<Index> all(static_cast<std::size_t>(rows), z_.shape[0]);
  if (!context.lengths.defined()) return all;
  const std::vector<double> lengths = context.lengths.values();
  if (lengths.size() != all.size())
    throw Error(
        fmt::format("[{}] expected a length of each of {} rows, received {}", name(), rows, lengths.size()));
  for (std::size_t n = 0; n < all.size(); ++n) {
    all[n] = (static_cast<Index>(lengths[n]) + options_.stride - 1) / options_.stride;
    if (all[n] < 1 || all[n] > z_.shape[0])
      throw Error(fmt::format(
          "[{}] expected sequences of 1 to {} stretches of {}, received {} of length {}; give {} more cuts",
          name(), z_.shape[0], options_.stride, all[n], lengths[n], z_.name));
  }
  return all;
}

Value Segments::energy(const State& state) const {
  const Value &y = state[y_], &z = state[z_];
  const Index rows = y.dim(0), most = y.dim(1), labels = y.dim(2) - 1, cuts = z.dim(1), durations = z.dim(2);
  const Cuts found = cuts_of(z, stretches(state.context(), rows));
  const Value total = reshape(slice(found.count, 1, cuts - 1, cuts), {rows});
  // The label of the segment that ends at a cut, by how many there are so far.
  const Value place =
      equal(reshape(found.count, {rows, cuts, 1}), reshape(counted(most, 1.0, y.placement()), {1, 1, most}));
  const Value label = matmul(place, slice(y, 2, 0, labels));
  const Value plain = -sum_per_sample(scores(state) * reshape(z, {rows, cuts, durations, 1}) *
                                      reshape(label, {rows, cuts, 1, labels}));
  const Value fault = step(found.faults + label_faults(y, total) - 0.5);
  return maximum(plain, (fault - 0.5) * std::numeric_limits<double>::infinity());
}

std::shared_ptr<const Structure> Segments::structure(const Block& latents, const State& rest,
                                                     double weight) const {
  SegmentCase given{weight * scores(rest), stretches(rest.context(), rest[x_].dim(0)), y_.shape[0]};
  const Index durations = z_.shape[1];
  std::vector<double> counts;  // of labels or of segments, where they are given
  if (!contains(latents, y_)) {
    given.labels = rest[y_];
    const Value none = slice(rest[y_].detached(), 2, y_.shape[1] - 1, y_.shape[1]);
    counts = (static_cast<double>(given.longest) - sum_per_sample(none)).tensor().values();
    const std::vector<double> faults =
        label_faults(rest[y_],
                     Tensor::from(counts, {static_cast<Index>(counts.size())}, rest[y_].placement()))
            .tensor()
            .values();
    for (std::size_t n = 0; n < faults.size(); ++n) {
      if (faults[n] > 0.5)
        throw Error(
            fmt::format("[{}] expected labels {} one after another, then none (the last category), received "
                        "others in row {}",
                        name(), y_.name, n));
    }
  }
  std::vector<double> faults;
  if (!contains(latents, z_)) {
    given.segments = rest[z_];
    faults = cuts_of(rest[z_], given.stretches).faults.tensor().values();
    counts = sum(rest[z_].detached(), {1, 2}).tensor().values();
  }
  for (std::size_t n = 0; n < given.stretches.size(); ++n) {
    const Index there = given.stretches[n];
    if (!faults.empty() && faults[n] > 0.5)
      throw Error(
          fmt::format("[{}] expected segments {} that cover the {} stretches of row {} once, received others",
                      name(), z_.name, there, n));
    const Index most = counts.empty() ? given.longest : static_cast<Index>(counts[n]);
    const Index least = counts.empty() ? 1 : most;
    if (least < 1 || least > there || most * durations < there || most > given.longest)
      throw Error(
          fmt::format("[{}] expected a sequence that can be cut into {} segments of 1 to {} stretches, "
                      "received one of {} in row "
                      "{}; take shorter or longer strings, or another stride between cuts",
                      name(), counts.empty() ? fmt::format("1 to {}", most) : fmt::format("{}", most),
                      durations, there, n));
  }
  return std::make_shared<const SegmentLattice>(std::move(given));
}

std::vector<Parameter> Segments::parameters() const {
  return prefixed_parameters(*module_, x_.name + "." + y_.name);
}

}  // namespace basin
