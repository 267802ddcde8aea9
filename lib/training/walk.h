#pragma once

#include <vector>

#include "training/source.h"

namespace basin {

/// Samples that stand in memory as floats where a whole set is walked through.
inline constexpr Index kChunk = 2000;

/// Samples [begin, end) of a source in one state, its draws under `key`.
State samples_between(const Source& source, Index begin, Index end, Key key);

/// The batches of a fit, one after another: batch `step` is a function of (key, step) alone.
class Walk {
 public:
  /// Throws Error unless there is a whole batch.
  Walk(Source source, Index batch, Key key);

  Index steps() const { return steps_; }  // of an epoch
  /// In epoch e = step / steps(): ordered under key.fold("order").fold(e), drawn under
  /// key.fold("pixels").fold(e).
  State at(Index step);

 private:
  Source source_;
  Index batch_, steps_, ordered_epoch_ = -1;
  Key key_;
  std::vector<Index> order_;
};

}  // namespace basin
