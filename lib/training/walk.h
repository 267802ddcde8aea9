#pragma once

#include <functional>

#include "training/source.h"

namespace basin {

/// Samples that stand in memory as floats where a whole set is walked through.
inline constexpr Index kChunk = 2000;

/// Samples [begin, end) of a source in one state, its draws under `key`.
State samples_between(const Source& source, Index begin, Index end, Key key);

/// Samples of a source drawn under `key`, each at most once, as many as asked for or as there are.
State drawn_samples(const Source& source, Index most, Key key);

/// Samples [0, most) of a source, as far as there are so many, kChunk at a time: calls visit(samples, number
/// of the first of them). Returns how many there were.
Index walk_through(const Source& source, Index most, Key key,
                   const std::function<void(const State& samples, Index first)>& visit);

}  // namespace basin
