#pragma once

#include <functional>

#include "training/measures/sequences.h"

namespace basin {

/// Frames of bits that a trained model makes up one after another, each given those before, [steps, size] on
/// the host: from a frame of zeros on, bit m of frame t drawn with its probability by draw t size + m of
/// `key`. Throws Error for a model of anything else.
Tensor made_up(const Stage& stage, const SequencePredictions& how, Index steps, Key key);

/// The same of symbols, from the first class on, each by draw t of `key`: told one by one, so that a text
/// takes no more memory than its characters.
void make_up_symbols(const Stage& stage, const SequencePredictions& how, Index steps, Key key,
                     const std::function<void(std::size_t symbol)>& tell);

}  // namespace basin
