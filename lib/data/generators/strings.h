#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Height of such an image, and how wide a character is at most.
inline constexpr Index kStringHeight = 20, kWidestCharacter = 13;
/// Pixels of an image that holds `longest` characters.
Index string_width(Index longest);

/// Strings of 2 to `longest` digits side by side, samples 0 .. count - 1 of an endless set, with columns
///   image       [1, 20, W] bytes, black behind the string's own width
///   label       [longest] of 11 categories: the digits in order, then 10 for "no character"
///   lengths     that width in pixels
///   characters  how many there are
///   cuts        [longest], where each character ends, in pixels: the middle of what it shares with the next
///               one, or of the gap between them, of the last the width; 0 where there is none
/// Each digit is one of `strokes`, cut out, scaled to a height of 13 to 16 pixels and a width of 5 to 13 that
/// follows its own shape, and moved up or down; neighbours overlap by up to 3 pixels (a quarter of the
/// narrower one at most) or stand 1 apart, the darker ink on top. Sample i is a function of (key, i) and
/// `longest` alone. Throws Error for a negative count and unless 2 <= longest <= 16.
Samples strings(Key key, Index count, Index longest);

}  // namespace basin
