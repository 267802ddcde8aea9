#pragma once

#include <span>
#include <string>

#include "data/column.h"
#include "data/images/augment.h"
#include "tensor/key.h"

namespace basin {

class Config;

/// How bytes become numbers.
enum class PixelScale {
  Unit,       // byte / 255
  Threshold,  // 1 where byte / 255 >= threshold, else 0 (computed in f64)
  Stochastic  // 1 with probability byte / 255, drawn anew under every key: 1 where byte > 0 and word <= byte
              // * (2^32 - 1) / 255; real numbers are the probabilities themselves
};

struct BatchOptions {
  PixelScale scale = PixelScale::Unit;
  double threshold = 0.5;
  Key key = Key(
      0);  // of Stochastic: pixel p of sample s is draw s * sample_size + p, whatever the batch it stands in
  bool one_hot = false;  // categories become one-hot along a further last axis, else they stay indices
  Index longest = 0;     // of padded sequences: entries of a sample's first axis to fill, 0 = all (draws are
                         // numbered as if all were filled)
  Augmentation augment =
      {};  // of images: sample s is distorted under key.fold("augment").fold(s), then scaled
};

/// Fills out [rows.size(), ...] with the samples named by `rows` (their positions in the column), flat or in
/// their own shape. Bytes are scaled, real numbers and integers are copied.
///
/// All is done on the host and uploaded at once where `out` lives on another device. Nothing is allocated
/// after a thread's first call of a size, but by columns that are read from files. Throws Error when `out`
/// has another size, a row is not in the column, or `options` ask for a threshold of real values or an
/// augmentation of what is no image.
void fill_batch(const Column& column, std::span<const Index> rows, const BatchOptions& options,
                const Tensor& out);

/// "unit", "threshold" or "stochastic" at `key` of a table.
PixelScale read_pixel_scale(const Config& table, const char* key, const std::string& fallback);

}  // namespace basin
