#pragma once

#include <functional>
#include <span>
#include <vector>

#include "training/measures/measure.h"

namespace basin {

/// Samples, and what a stage or a head makes of them, as points of two spaces.
struct CodeSpace {
  Tensor codes;                      // [N, C], on the host in f32
  Tensor samples;                    // [N, sample size], the same
  std::vector<std::int64_t> labels;  // of samples with labels, else none
};

/// Throws Error in the name of `who` where a stage has no encoder.
void check_code_space(const Stage& stage, const char* who);

/// The first `most` samples and their codes: of a head those that the stages below it give. Throws Error
/// where there are none, for sequences with lengths, and for codes that are no numbers or more of one sample
/// than of another.
CodeSpace code_space(const StageView& view, const Samples& samples, Index most, const char* who);

/// |a_i - b_j|^2 of rows, [a rows, b rows], in f64: of codes that lie far from 0, too.
Tensor distances_in_f64(const Tensor& a, const Tensor& b);

/// The numbers of the rows of `all` from the nearest to a row of `queries` on; of rows equally near the first
/// comes first. `visit` is called for each query in turn.
void rank_by_distance(const Tensor& queries, const Tensor& all,
                      const std::function<void(Index query, std::span<const Index> ranked)>& visit);

}  // namespace basin
