#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// Samples with labels; pixels stay bytes in memory and become floats per batch.
struct Samples {
  Shape shape;                       // of one sample: {28, 28}
  Index count = 0;
  std::vector<std::uint8_t> pixels;  // count x shape, 0 .. 255
  std::vector<int> labels;           // count, or empty
  int classes = 0;                   // 0: no labels

  Index sample_size() const { return element_count(shape); }
  /// The first n samples.
  Samples head(Index n) const;
};

/// A data set with its official split.
struct Dataset {
  std::string name;
  Samples train, test;
};

/// How bytes become numbers.
enum class PixelScale {
  Unit,       // byte / 255
  Threshold,  // 1 where byte / 255 >= threshold, else 0
  Stochastic  // 1 with probability byte / 255, drawn anew under every key
};

struct BatchOptions {
  PixelScale scale = PixelScale::Unit;
  double threshold = 0.5;
  Key key = Key(0);  // of Stochastic: pixel p of sample s is draw s * sample_size + p, whatever the batch it stands in
};

/// Fills out [rows.size(), features] with the samples named by `rows` (their positions in `samples`).
void fill_batch(const Samples& samples, std::span<const Index> rows, const BatchOptions& options, const Tensor& out);

}  // namespace basin
