#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Variations of digits, "image" bytes [height, width] of any size; other columns stay as they are. Sample i
/// is a function of (key, i) and its image. Reference: Larochelle, Erhan, Courville, Bergstra and Bengio
/// 2007, "An empirical evaluation of deep architectures on problems with many factors of variation".

/// Turned about their middle by an angle uniform in all.
Samples rotated(const Samples& digits, Key key);

/// On noise: each pixel at least a number uniform in 0 .. 255.
Samples on_noise(const Samples& digits, Key key);

/// On images: each pixel at least that of patch i, [count, height, width] in [0, 1] on the host. Throws Error
/// for patches of another shape.
Samples on_images(const Samples& digits, const Tensor& patches);

}  // namespace basin
