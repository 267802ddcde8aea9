#pragma once

#include "tensor/key.h"
#include "tensor/shape.h"

namespace basin {

class Config;

/// How images are distorted anew each time they are seen, for training: all of it about their middle, with 0
/// beyond their edges, by one bilinear interpolation (none where whole pixels move). What is 0 or false is
/// left out.
struct Augmentation {
  double shift = 0.0;    // pixels: along either axis by a number uniform in -shift .. shift
  double rotate = 0.0;   // degrees: by an angle uniform in -rotate .. rotate
  double scale = 0.0;    // each axis by a factor uniform in 1 - scale .. 1 + scale
  double elastic = 0.0;  // every pixel by its own number uniform in -elastic .. elastic along either axis,
  double sigma = 4.0;    // these smoothed by a Gaussian of this deviation in pixels (34 and 4 for MNIST)
  bool flip = false;     // left to right, in half of the cases
  Index crop = 0;        // pixels of 0 on every side, then a random crop of the old size: whole-pixel shifts

  bool is_none() const { return *this == Augmentation{.sigma = sigma}; }
  bool operator==(const Augmentation&) const = default;
};

/// One distorted image: out[c, y, x] from in, both [channels, height, width] of bytes (rounded) or real
/// numbers, all channels alike. A function of the image and the key. Reference for elastic distortions:
/// Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural networks applied to visual
/// document analysis", section 2.
template <class T>
void augment(const Augmentation& how, const Shape& image, Key key, const T* in, T* out);

/// Throws Error naming `who` unless samples of this shape are images, [height, width] or [channels, height,
/// width], and returns them with their channels.
Shape image_shape(const Shape& sample, const char* who);

/// The table's keys are the members' names. Throws Error for numbers out of range.
Augmentation read_augmentation(const Config& table);

}  // namespace basin
