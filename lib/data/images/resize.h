#pragma once

#include "tensor/tensor.h"

namespace basin {

/// An image [H, W] (f32 on the host) in another size: each pixel is a mean of those around its place,
/// weighted by a triangle as wide as the larger of two pixels of the old and of the new image, so that
/// shrinking blurs what it must and enlarging interpolates linearly. A size of its own leaves an image as it
/// is. Reference: Heckbert 1989, "Fundamentals of texture mapping and image warping", section 3.5.
Tensor resized(const Tensor& image, Index height, Index width);

/// The middle of an image, `height` x `width`; one pixel more is left out below and on the right where it
/// does not come out even. Throws Error when the image is smaller.
Tensor middle(const Tensor& image, Index height, Index width);

}  // namespace basin
