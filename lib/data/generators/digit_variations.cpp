#include "data/generators/digit_variations.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/draws.h"
#include "data/images/augment.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// `change(i, image, out)` of every image.
template <class Change>
Samples changed(const Samples& digits, Change change) {
  const Column& images = digits["image"];
  const Index size = images.sample_size();
  std::vector<std::uint8_t> pixels(images.bytes().size());
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < digits.count; ++i)
    change(i, images.bytes().data() + i * size, pixels.data() + i * size);
  Samples samples;
  for (const Column& column : digits.columns)
    samples.add(column.name() == "image" ? byte_column("image", column.shape(), std::move(pixels)) : column);
  return samples;
}

}  // namespace

Samples rotated(const Samples& digits, Key key) {
  const Shape shape = image_shape(digits["image"].shape(), "rotated");
  return changed(digits, [&](Index i, const std::uint8_t* image, std::uint8_t* out) {
    augment({.rotate = 180.0}, shape, key.fold(static_cast<std::uint64_t>(i)), image, out);
  });
}

Samples on_noise(const Samples& digits, Key key) {
  const Index size = digits["image"].sample_size();
  return changed(digits, [&](Index i, const std::uint8_t* image, std::uint8_t* out) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    for (Index p = 0; p < size; ++p) out[p] = std::max(image[p], static_cast<std::uint8_t>(draws.below(256)));
  });
}

Samples on_images(const Samples& digits, const Tensor& patches) {
  const Index size = digits["image"].sample_size();
  Shape expected = digits["image"].shape();
  expected.insert(expected.begin(), digits.count);
  if (patches.shape() != expected) {
    throw Error(fmt::format("[on_images] expected patches of {}, received {}", to_string(expected),
                            to_string(patches.shape())));
  }
  return changed(digits, [&](Index i, const std::uint8_t* image, std::uint8_t* out) {
    const float* patch = patches.host<float>() + i * size;
    for (Index p = 0; p < size; ++p)
      out[p] = std::max(image[p], static_cast<std::uint8_t>(255.0f * patch[p] + 0.5f));
  });
}

}  // namespace basin
