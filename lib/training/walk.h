#pragma once

#include "training/source.h"

namespace basin {

/// Samples that stand in memory as floats where a whole set is walked through.
inline constexpr Index kChunk = 2000;

/// Samples [begin, end) of a source in one state, its draws under `key`.
State samples_between(const Source& source, Index begin, Index end, Key key);

}  // namespace basin
