#pragma once

#include <cstdint>

#include "tensor/cpu/conv/conv_plane.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/solvers.h"

namespace basin {

/// What a ConvLassoCall does.
enum class ConvLassoStage {
  Synthesis,  // image = D codes
  Step,       // one move: into `previous` and `previous_image`, which are then exchanged with codes and image
  Measure     // sums alone
};

/// A move, a measure or the first image of a ConvLassoProblem, on arrays in rows: codes, previous and target
/// are [images, height + 2 border_y(), padded_filters(), pitch()], code (k, a, b) at row a + border_y() and
/// column b + border_x(), all else zero. D u comes from D z and D previous by linearity. `occupancy` says
/// where codes are not zero: occupancy_floats() numbers that Step writes and reads.
struct ConvLassoCall : ConvLassoProblem {
  ConvLassoStage stage = ConvLassoStage::Step;
  const void* target_rows = nullptr;
  void* codes = nullptr;
  void* previous = nullptr;
  void* image = nullptr;
  void* previous_image = nullptr;
  void* occupancy = nullptr;
  Index count = 0;
  const Index* which = nullptr;
  const double* momentum = nullptr;
  ConvLassoSums* sums = nullptr;  // [count]

  Index border_y() const { return filter_height - 1 - padding_y; }
  Index border_x() const { return filter_width - 1 - padding_x; }
  Index padded_filters() const { return (filters + 3) / 4 * 4; }
  Index padded_width() const { return (width + 15) / 16 * 16; }
  Index pitch() const { return (padded_width() + 2 * border_x() + 15) / 16 * 16; }
  Index row_size() const { return padded_filters() * pitch(); }
  Index rows_size() const { return images * (height + 2 * border_y()) * row_size(); }
  Index occupancy_floats() const { return images * height * (2 + padded_filters() * padded_width() / 32); }
};

void conv_lasso(CpuBackend& backend, const ConvLassoCall& call);

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
