#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "data/cache.h"
#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// Samples through the encoders of stages, one after another (passed_on(), everywhere.h).
class Encoding {
 public:
  /// Through the first `passed` of the stages; samples are seen as the first stage sees them, as means, never
  /// drawn bits. Throws Error where one has no encoder.
  Encoding(std::span<const Stage> stages, std::size_t passed, const Samples& samples);

  /// Of the codes of one sample.
  const Shape& shape() const { return shape_; }
  /// How many samples are encoded together at most, by what their codes take on the way: kChunk, or fewer.
  Index together() const { return together_; }
  /// [rows, shape...]. Throws Error for codes that are not finite, or that have another shape.
  Tensor codes(std::span<const Index> rows) const;

 private:
  std::span<const Stage> stages_;
  std::size_t passed_;
  Source source_;
  Variable x_;
  Shape shape_;
  Index together_;
};

/// What a stage's encoder makes of a data set: real values in the place of its samples, all other columns as
/// they are; as preprocessing the pictures that codes stand for. The encoder is given means, never drawn
/// bits.
///
/// Each part goes through the cache file "NAME.<part>.h5", written row by row, when there is a cache; the
/// labelled samples, where they are some of those for training, through "NAME.labelled-<digest>.h5". Parts of
/// more than `large` bytes are shuffled in blocks, and are left in their file where there is one, to be read
/// batch by batch: the order of samples is the same with and without a cache. Throws Error where there is no
/// encoder.
Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name = "",
                std::size_t large = std::size_t{1} << 30);
/// The same of several stages, one after another, the cache files of the last: what those between give is
/// kept nowhere.
Dataset encoded(std::span<const Stage> stages, const Dataset& data, Cache& cache,
                const std::string& name = "", std::size_t large = std::size_t{1} << 30);

/// How what stages give looks in patches, given how the samples of the first do (Stage::pictures).
Preprocessing pictures_above(std::span<const Stage> stages, Preprocessing below);

/// The shape of what a stage gives to those above of a sample of a shape. Throws Error where there is no
/// encoder.
Shape code_shape(const Stage& stage, const Shape& sample);

}  // namespace basin
