#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// What the copy task is made of: categories 0 .. 7 to remember, one for nothing, one that asks for them.
inline constexpr Index kCopiedSymbols = 10, kCopyBlank = 8, kCopyAsk = 9;

/// The copy task: ten symbols are to be repeated after a delay.
///
/// "input", categories of 10 [delay + 20]: ten symbols, uniform in 0 .. 7, delay - 1 blanks, the sign that
/// asks, ten blanks. "target", categories of 9 [delay + 20]: delay + 10 blanks, then the ten symbols. Whoever
/// remembers nothing has a cross-entropy of 10 ln 8 / (delay + 20) an entry. Sample i is a function of
/// (key, i) alone. Throws Error for a negative count and a delay below 1. References: Hochreiter and
/// Schmidhuber 1997; in this form Arjovsky, Shah and Bengio 2016, section 4.1.
Samples copy_memory(Key key, Index count, Index delay);

}  // namespace basin
