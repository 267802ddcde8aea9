#pragma once

#include <vector>

#include "energy/structure.h"

namespace basin {

/// All segmentations of a batch of sequences and their labels (energy/factors/sequences/segments.h).
struct SegmentCase {
  Value scores;                      // s [N, T, D, K]
  std::vector<Index> stretches;      // T_n, at most T
  Index longest = 0;                 // L
  Value labels = {}, segments = {};  // y [N, L, K + 1] and z [N, T, D], where they are given
};

/// The lattice of a case: what of y and z is not given leaves it in the order y, z. With drives u of y and v
/// of z (given values: 0 where they are 1, else minus infinity), a_0(0) = 0 and
///   a_t(n) = log sum_d exp( a_t-d(n - 1) + v_td + log sum_k exp(s_tdk + u_nk) )
/// of the first n segments, which end at t, the sum is log sum_n exp(a_T_n(n) + sum of u of "none" behind n);
/// the best path takes maxima. Time and memory go as T D L K. Draws go backward through the same numbers:
/// row n takes the uniform draws (first + n)(2 L + 1), ... under `key`.
class SegmentLattice final : public Structure {
 public:
  explicit SegmentLattice(SegmentCase given) : case_(std::move(given)) {}
  Value log_sum(const std::vector<Value>& drives) const override;
  Value maximum(const std::vector<Value>& drives) const override;
  std::vector<Value> sample(const std::vector<Value>& drives, Key key, Index first) const override;

 private:
  SegmentCase case_;
};

/// [T D, T + 1]: 1 where the segment (t, d) covers a stretch; the last column, where it begins before the
/// sequence.
Tensor segment_cover(Index cuts, Index longest, Placement placement);

}  // namespace basin
