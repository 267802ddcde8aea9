#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Outlines of rectangles, 28 x 28: is it wide ("label" 1) or tall (0)?
///
/// "image": 255 on the border, one pixel wide, 0 elsewhere. Width and height are uniform in 2 .. 28, drawn
/// anew while they differ by less than 3; then the place, uniform among those where the rectangle fits.
/// Sample i is a function of (key, i) alone. Throws Error for a negative count. Reference: Larochelle, Erhan,
/// Courville, Bergstra and Bengio 2007, "An empirical evaluation of deep architectures on problems with many
/// factors of variation", rectangles.
Samples rectangles(Key key, Index count);

/// The same of rectangles that are a patch on another one: in sample i, outside it is patch i of `outside`,
/// inside patch i of `inside`, both [count, 28, 28] in [0, 1] on the host. Both sides are at least 10 pixels
/// and differ by at least 5, and the rectangle covers 25 to 75 % of the picture. Throws Error for other
/// shapes. Reference: the same, rectangles-image.
Samples rectangle_images(Key key, const Tensor& inside, const Tensor& outside);

}  // namespace basin
