#pragma once

#include "modules/module.h"

namespace basin {

struct SegmentColumnsOptions {
  Index longest = 1;  // D, columns of a segment at most
  Index parts = 4;    // B
};

/// What a network reads of every segment of a sequence of columns: x [N, ..., T] with C numbers a column
/// gives [N, T, D, B C + D]. Of the segment of d + 1 columns that ends with column t these are the means of x
/// over its B equal parts (a column on a border counts by its shares), so that segments of any length look
/// alike, then d as a one-hot code; of a segment that begins before the sequence, the parts before it are
/// zeros. Throws Error for a D outside 1 .. T and parts below 1.
class SegmentColumns final : public Module {
 public:
  /// For sequences of `columns`.
  SegmentColumns(Index columns, SegmentColumnsOptions options);
  Value forward(const Value& x, const Context& context = {}) const override;
  /// Numbers of a segment, for C of a column.
  Index size_of(Index column) const { return options_.parts * column + options_.longest; }

 private:
  Index columns_;
  SegmentColumnsOptions options_;
  Tensor shares_;     // of columns in parts, [T, T D B]
  Tensor durations_;  // [1, 1, D, D]
};

}  // namespace basin
