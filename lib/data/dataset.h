#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/images/preprocessing.h"
#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// Samples with labels. Pixels stay bytes in memory and become floats per batch; samples that are no bytes
/// (whitened patches) are real numbers. A set has either `pixels` or `values`.
struct Samples {
  Shape shape;  // of one sample: {28, 28}
  Index count = 0;
  std::vector<std::uint8_t> pixels;  // count x shape, 0 .. 255; empty where `values` are
  std::vector<int> labels;           // count, or empty
  int classes = 0;                   // 0: no labels
  Tensor values = {};                // [count, shape...] in f32 on the host

  Index sample_size() const { return element_count(shape); }
  bool is_real() const { return values.defined(); }
  /// The first n samples. Throws Error when there are fewer.
  Samples head(Index n) const;
};

/// A data set with its official split, and what turns its samples into pictures where they were preprocessed.
struct Dataset {
  std::string name;
  Samples train, test;
  Preprocessing preprocessing = {};
};

/// The mean log-likelihood that no model of these samples can exceed: that of their own frequencies,
/// (1/N) sum_n log(number of samples equal to n / N), in nats. Useful where samples repeat: bars and stripes.
/// Throws Error for real numbers, whose density has no such bound.
double best_log_likelihood(const Samples& samples);

/// How bytes become numbers.
enum class PixelScale {
  Unit,       // byte / 255
  Threshold,  // 1 where byte / 255 >= threshold, else 0 (computed in f64)
  Stochastic  // 1 with probability byte / 255, drawn anew under every key: 1 where byte > 0 and word <= byte
              // * (2^32 - 1) / 255
};

struct BatchOptions {
  PixelScale scale = PixelScale::Unit;
  double threshold = 0.5;
  Key key = Key(
      0);  // of Stochastic: pixel p of sample s is draw s * sample_size + p, whatever the batch it stands in
};

/// Fills out [rows.size(), ...] with the samples named by `rows` (their positions in `samples`), flat or in
/// their own shape.
///
/// The bytes are turned into numbers on the host and uploaded at once where `out` lives on another device.
/// Nothing is allocated after a thread's first call of a size. Real values are copied as they are. Throws
/// Error when `out` has another size, a row is not in the set, or `options` ask for bits of real values.
void fill_batch(const Samples& samples, std::span<const Index> rows, const BatchOptions& options,
                const Tensor& out);

}  // namespace basin
