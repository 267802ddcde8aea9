#pragma once

#include <cstdint>

#include "tensor/backend.h"
#include "tensor/cpu/conv_plane.h"

namespace basin {

/// Rows of codes of one image: what a thread works on at a time.
template <class T>
struct ConvLassoRows {
  Plane<T> residual;  // y - D u where the rows' filters reach, zero outside of the image
  Taps taps;
  const T* weights = nullptr;  // by pack_filters
  Index rows = 0, width = 0, padded_width = 0, padded_filters = 0, pitch = 0;
  const T* codes = nullptr;   // (row 0, filter 0, column 0); rows are padded_filters * pitch apart
  T* previous = nullptr;      // becomes z+; null: measure only
  const T* target = nullptr;  // may be null
  T weight = 0, attraction = 0, step = 0, lambda = 0, momentum = 0;
  bool non_negative = false;
  std::uint8_t* occupied = nullptr;  // with previous, per row: a count of 8 bytes, then [padded_filters, padded_width] bits (f32 only)
  Index occupied_stride = 0;         // bytes
  ConvLassoSums* sums = nullptr;     // added to
};

void conv_lasso_rows(const ConvLassoRows<float>& rows);
void conv_lasso_rows(const ConvLassoRows<double>& rows);

/// What rows of codes add to an image, by those codes that are not zero:
///   image[c][row + u][b + v] += w[k, c, u, v] z[k, row, b].
struct ConvScatter {
  Index rows = 0, padded_width = 0, padded_filters = 0, pitch = 0, row_stride = 0;
  const float* codes = nullptr;
  const std::uint8_t* occupied = nullptr;  // as in ConvLassoRows
  Index occupied_stride = 0;
  Taps taps;                       // channels of the image
  const float* weights = nullptr;  // [filter][channel, u, v]; kScatterRoom numbers behind the last are readable
  float* patch = nullptr;          // room for taps.count() + kScatterRoom numbers
  float* image = nullptr;          // [channels][image_rows][image_pitch]; a vector behind each row may be written as it is
  Index image_rows = 0, image_pitch = 0;
};

/// Twelve vectors.
constexpr Index kScatterRoom = 12 * 16;

void conv_scatter(const ConvScatter& scatter);

}  // namespace basin
