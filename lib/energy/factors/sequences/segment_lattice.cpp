#include "energy/factors/sequences/segment_lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "autograd/ops.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// Below any score, and far enough above -FLT_MAX for sums: what is not there.
constexpr double kNever = -1e30;

using Over = Value (*)(const Value& x, Index axis);

Value sum_over(const Value& x, Index axis) { return log_sum_exp(x, axis); }
Value max_over(const Value& x, Index axis) { return max(x, axis); }

/// 0 where a given value is 1, kNever where it is 0.
Value given_drive(const Value& x) { return (1.0 - x) * kNever; }

/// The numbers of the recursion.
struct Lattice {
  Value none;                // sum of u of "none" behind the first 1 .. L segments, [N, L]
  Value segment;             // v_td + log sum_k exp(s_tdk + u_nk), [N, T, D, L]
  std::vector<Value> alpha;  // a_t(1 .. L) of t = 1 .. T, [N, L] each
  Value last;                // what is summed at the end, [N, L]
};

/// u and v; of a given z none is used but its segments.
struct Drives {
  Value y, z;
};

Drives drives_of(const SegmentCase& given, const std::vector<Value>& drives) {
  Drives both;
  std::size_t next = 0;
  both.y = given.labels.defined() ? given_drive(given.labels) : drives.at(next++);
  both.z = given.segments.defined() ? given_drive(given.segments) : drives.at(next++);
  return both;
}

/// 1 where is_one(row, column), else 0, [rows, columns].
template <class IsOne>
Tensor pattern(Index rows, Index columns, Placement placement, IsOne is_one) {
  std::vector<double> numbers;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) numbers.push_back(is_one(i, j) ? 1.0 : 0.0);
  }
  return Tensor::from(numbers, {rows, columns}, placement);
}

Lattice lattice_of(const SegmentCase& given, const std::vector<Value>& outer, Over over) {
  const Value& s = given.scores;
  const Index rows = s.dim(0), cuts = s.dim(1), durations = s.dim(2), labels = s.dim(3), most = given.longest;
  const Placement placement = s.placement();
  const Drives drive = drives_of(given, outer);
  Lattice made;
  const Value none = reshape(slice(drive.y, 2, labels, labels + 1), {rows, most});
  made.none = matmul(none, pattern(most, most, placement, [](Index l, Index m) { return l > m; }));

  const Value own = slice(drive.y, 2, 0, labels);
  Value labelled;  // [N, T D, L]
  if (given.labels.defined()) {
    const Value one_hot = slice(given.labels, 2, 0, labels);
    const Value is_none = reshape((1.0 - sum(one_hot, {2})) * kNever, {rows, 1, most});
    labelled = matmul(reshape(s, {rows, cuts * durations, labels}), transpose(one_hot, {0, 2, 1})) + is_none;
  } else {
    labelled =
        over(reshape(s, {rows, cuts * durations, 1, labels}) + reshape(own, {rows, 1, most, labels}), 3);
  }
  made.segment =
      reshape(labelled + reshape(drive.z, {rows, cuts * durations, 1}), {rows, cuts, durations, most});

  const std::vector<Value> at = unstack(made.segment, 1);  // [N, D, L] of each cut
  const Value never = Tensor::full({rows, 1}, kNever, placement);
  // What extends to one more segment: a_t(0 .. L - 1).
  std::vector<Value> before{most == 1 ? Value(Tensor::zeros({rows, 1}, placement))
                                      : concat({Tensor::zeros({rows, 1}, placement),
                                                Tensor::full({rows, most - 1}, kNever, placement)},
                                               1)};
  for (Index t = 1; t <= cuts; ++t) {
    std::vector<Value> from;
    for (Index d = 1; d <= std::min(durations, t); ++d)
      from.push_back(before[static_cast<std::size_t>(t - d)]);
    const auto reach = static_cast<Index>(from.size());
    const Value& here = at[static_cast<std::size_t>(t - 1)];
    const Value paths = stack(from, 1) + (reach == durations ? here : slice(here, 1, 0, reach));
    made.alpha.push_back(over(paths, 1));
    before.push_back(most == 1 ? never : concat({never, slice(made.alpha.back(), 1, 0, most - 1)}, 1));
  }

  std::vector<double> ends(static_cast<std::size_t>(rows * cuts), 0.0);
  for (std::size_t n = 0; n < given.stretches.size(); ++n)
    ends[n * static_cast<std::size_t>(cuts) + static_cast<std::size_t>(given.stretches[n] - 1)] = 1.0;
  const Value end = Tensor::from(ends, {rows, cuts, 1}, placement);
  made.last = sum(stack(made.alpha, 1) * end, {1}) + made.none;
  if (given.segments.defined()) {  // a path that leaves some of them out is not theirs
    const Value count = sum(given.segments, {1, 2});
    std::vector<double> numbers;
    for (Index m = 1; m <= most; ++m) numbers.push_back(static_cast<double>(m));
    const Value other =
        step(abs(reshape(count, {rows, 1}) - Tensor::from(numbers, {1, most}, placement)) - 0.5);
    made.last = made.last + other * kNever;
  }
  return made;
}

/// -infinity in the place of what no path attains.
Value total_of(const Lattice& lattice, Over over) {
  const Value total = over(lattice.last, 1);
  const Value guard = (step(0.5 * kNever - total) - 0.5) * std::numeric_limits<double>::infinity();
  return -maximum(-total, guard);
}

/// One of some numbers with probabilities as exp(score), by a uniform u.
std::size_t choose(const std::vector<double>& scores, double u) {
  const double top = *std::max_element(scores.begin(), scores.end());
  std::vector<double> running;
  double total = 0.0;
  for (const double score : scores) running.push_back(total += std::exp(score - top));
  const auto found = std::upper_bound(running.begin(), running.end(), u * total);
  const auto last = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  return found == running.end() ? last : static_cast<std::size_t>(found - running.begin());
}

}  // namespace

Tensor segment_cover(Index cuts, Index longest, Placement placement) {
  return pattern(cuts * longest, cuts + 1, placement, [&](Index segment, Index stretch) {
    const Index end = segment / longest, begin = end - segment % longest;
    return stretch == cuts ? begin < 0 : begin <= stretch && stretch <= end;
  });
}

Value SegmentLattice::log_sum(const std::vector<Value>& drives) const {
  return total_of(lattice_of(case_, drives, sum_over), sum_over);
}

Value SegmentLattice::maximum(const std::vector<Value>& drives) const {
  return total_of(lattice_of(case_, drives, max_over), max_over);
}

std::vector<Value> SegmentLattice::sample(const std::vector<Value>& given, Key key, Index first) const {
  std::vector<Value> drives;
  for (const Value& drive : given) drives.push_back(drive.detached());
  SegmentCase plain = case_;
  plain.scores = case_.scores.detached();
  const Lattice lattice = lattice_of(plain, drives, sum_over);
  const Index rows = plain.scores.dim(0), cuts = plain.scores.dim(1), durations = plain.scores.dim(2),
              labels = plain.scores.dim(3), most = plain.longest;
  const auto T = static_cast<std::size_t>(cuts), D = static_cast<std::size_t>(durations),
             K = static_cast<std::size_t>(labels), L = static_cast<std::size_t>(most);
  const std::vector<double> u = drives_of(plain, drives).y.tensor().values(),
                            s = plain.scores.tensor().values(), last = lattice.last.tensor().values(),
                            segment = lattice.segment.tensor().values(),
                            alpha = stack(lattice.alpha, 1).tensor().values();
  const auto draws_each = 2 * most + 1;
  const std::vector<double> draws = uniform(key, {rows, draws_each}, {Dtype::F64, Device::Cpu},
                                            static_cast<std::uint64_t>(first * draws_each))
                                        .values();
  std::vector<double> y(static_cast<std::size_t>(rows) * L * (K + 1), 0.0),
      z(static_cast<std::size_t>(rows) * T * D, 0.0);
  for (std::size_t n = 0; n < static_cast<std::size_t>(rows); ++n) {
    const double* draw = draws.data() + n * (2 * L + 1);
    std::size_t count = choose({last.begin() + static_cast<std::ptrdiff_t>(n * L),
                                last.begin() + static_cast<std::ptrdiff_t>((n + 1) * L)},
                               *draw++) +
                        1;
    for (std::size_t l = count; l < L; ++l) y[(n * L + l) * (K + 1) + K] = 1.0;
    for (std::size_t t = static_cast<std::size_t>(plain.stretches[n]); count > 0; --count) {
      const std::size_t l = count - 1;
      std::vector<double> ways;
      for (std::size_t d = 1; d <= std::min(D, t); ++d) {
        const double before = l == 0   ? (t == d ? 0.0 : kNever)
                              : t == d ? kNever
                                       : alpha[(n * T + t - d - 1) * L + l - 1];
        ways.push_back(before + segment[((n * T + t - 1) * D + d - 1) * L + l]);
      }
      const std::size_t d = choose(ways, *draw++) + 1;
      z[(n * T + t - 1) * D + d - 1] = 1.0;
      std::vector<double> classes;
      for (std::size_t k = 0; k < K; ++k)
        classes.push_back(s[((n * T + t - 1) * D + d - 1) * K + k] + u[(n * L + l) * (K + 1) + k]);
      y[(n * L + l) * (K + 1) + choose(classes, *draw++)] = 1.0;
      t -= d;
    }
  }
  std::vector<Value> drawn;
  const Placement placement = plain.scores.placement();
  if (!plain.labels.defined()) drawn.emplace_back(Tensor::from(y, {rows, most, labels + 1}, placement));
  if (!plain.segments.defined()) drawn.emplace_back(Tensor::from(z, {rows, cuts, durations}, placement));
  return drawn;
}

}  // namespace basin
