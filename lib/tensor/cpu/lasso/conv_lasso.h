#pragma once

#include <cstdint>

#include "tensor/backend.h"
#include "tensor/cpu/conv/conv_plane.h"

namespace basin {

/// Correlations of x with filters at two rows, r and r + 1, by three sums over half as many taps instead of
/// two (a fast FIR algorithm: Parhi 1999, "VLSI digital signal processing systems", chapter 9), u = 0, 2, 4,
/// ... and w[h] = 0:
///   difference = sum_u (w[u] - w[u + 1]) x[r + 1 + u]
///   row r      = sum_u w[u] (x[r + u] + x[r + u + 1]) - difference
///   row r + 1  = sum_u w[u + 1] (x[r + u + 1] + x[r + u + 2]) + difference
template <class T>
struct PairedFilters {
  Taps even, odd;  // odd.height may be 0
  // [block of filters]; by pack_filters.
  const T* differences = nullptr;  // with the taps of even
  const T* even_weights = nullptr;
  const T* odd_weights = nullptr;
};

/// One or two rows of codes of one image; the residual is there for two.
template <class T>
struct ConvLassoRows {
  Plane<T> residual;  // y - D u where the rows' filters reach, zero outside of the image
  Plane<T> paired;    // each row plus the next
  PairedFilters<T> filters;
  Index rows = 0, width = 0, padded_width = 0, padded_filters = 0, pitch = 0;
  const T* codes = nullptr;   // (row 0, filter 0, column 0); rows are padded_filters * pitch apart
  T* previous = nullptr;      // becomes z+; null: measure only
  const T* target = nullptr;  // may be null
  T weight = 0, attraction = 0, step = 0, lambda = 0, momentum = 0;
  bool non_negative = false;
  std::uint8_t* occupied = nullptr;  // with previous, per row: a count of 8 bytes, then [padded_filters,
                                     // padded_width] bits (f32 only)
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
  const float* weights = nullptr;  // [filters][weight_stride]: channel, u, v, then zeros
  Index weight_stride = 0;         // taps.count() rounded up to whole vectors
  float* patches = nullptr;        // room for kScatterPlaces * weight_stride numbers, and a vector
  float* image =
      nullptr;  // [channels][image_rows][image_pitch]; a vector behind each row may be written as it is
  Index image_rows = 0, image_pitch = 0;
};

/// Places whose filters are added up before they are added to the image; a multiple of 8.
constexpr Index kScatterPlaces = 32;

void conv_scatter(const ConvScatter& scatter);

}  // namespace basin
