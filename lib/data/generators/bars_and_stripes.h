#pragma once

#include "data/dataset.h"

namespace basin {

struct BarsAndStripesOptions {
  Index side = 4;
  bool count_plain_twice =
      false;  // the all-white and the all-black pattern each twice, as bars and as stripes
};

/// Every pattern of side x side pixels (0 or 255) whose columns, or whose rows, are each of one colour; no
/// labels.
///
/// 2 * 2^side - 2 distinct patterns: 30 for side 4; with `count_plain_twice` 2 * 2^side: 32. The mean
/// log-likelihood no model can exceed is best_log_likelihood(): -log 30 = -3.4012 nats, or (28 log(1/32) + 4
/// log(1/16)) / 32 = -3.3791 nats (sums -102.036 and -108.131). Throws Error unless 1 <= side <= 12.
/// Reference: MacKay 2003, "Information theory, inference, and learning algorithms", section 43; the 32
/// patterns are those of Fischer and Igel 2010.
Samples bars_and_stripes(const BarsAndStripesOptions& options = {});

}  // namespace basin
