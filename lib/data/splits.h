#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Samples in two parts, each in the order of the whole.
struct Parts {
  Samples kept, taken;
};

/// Takes `count` samples out, drawn under `key`. Where samples have labels, each class gives its share, up to
/// one sample (largest remainder). Throws Error unless 0 <= count < the number of samples.
Parts take_out(const Samples& samples, Index count, Key key);

/// `count` labelled samples, drawn under `key`: as many of each class as of any other, up to one, and all
/// that a smaller count draws under the same key. Throws Error for samples without labels, and for a class
/// that has too few of them.
Samples draw_labelled(const Samples& samples, Index count, Key key);

/// The most that draw_labelled() can draw: all classes as large as the smallest.
Index most_labelled(const Samples& samples);

}  // namespace basin
