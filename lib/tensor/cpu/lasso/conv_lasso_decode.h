#pragma once

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tensor/cpu/conv/conv.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/lasso/conv_lasso.h"
#include "tensor/cpu/workspace.h"

namespace basin {

/// Rows of codes, or of the image, that a thread works on at a time.
constexpr Index kConvLassoRows = 4;

template <class T>
T* of_image(void* data, Index size, Index image) {
  return static_cast<T*>(data) + image * size;
}

template <class T>
const T* of_image(const void* data, Index size, Index image) {
  return static_cast<const T*>(data) + image * size;
}

/// Extents and addresses of a call, counted in T.
template <class T>
struct ConvLassoLayout {
  explicit ConvLassoLayout(const ConvLassoCall& call)
      : code_size(call.rows_size() / call.images),
        image_size(call.image_size() / call.images),
        first_code(call.border_y() * call.row_size() + call.border_x()),
        record(8 + call.padded_filters() * call.padded_width() / 8),
        residual_pitch(call.padded_width() + call.filter_width - 1),
        lanes(conv_lanes(sizeof(T))) {}

  Index code_size, image_size, first_code;
  Index record;          // bytes of `occupancy` a row
  Index residual_pitch;  // of y - D u with its borders
  Index lanes;
};

/// Dense decoding: rows of the image from all codes.
template <class T>
class DenseDecoder {
 public:
  DenseDecoder(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<T>& layout)
      : call_(call),
        layout_(layout),
        taps_{call.filters, call.filter_height, call.filter_width},
        turned_(backend, filter_blocks(call.channels) * kFilterBlock * taps_.count()) {
    const T* w = static_cast<const T*>(call.w);
    // A correlation, with the filters turned by 180 degrees.
    const auto backwards = [=, this](Index c, Index k, Index u, Index v) {
      return w[((k * call.channels + c) * taps_.height + taps_.height - 1 - u) * taps_.width + taps_.width -
               1 - v];
    };
    if (use_filter_blocks(call.channels)) {
      pack_filters(call.channels, taps_, backwards, turned_.data());
      return;
    }
    T* to = turned_.data();
    for (Index c = 0; c < call.channels; ++c) {
      for (Index k = 0; k < call.filters; ++k) {
        for (Index tap = 0; tap < taps_.height * taps_.width; ++tap)
          *to++ = backwards(c, k, tap / taps_.width, tap % taps_.width);
      }
    }
  }

  void decode(const T* codes, Index first, T* image) const {
    const Index width = call_.image_width(), height = call_.image_height();
    conv_band(ConvBand<T>{.x = {codes + first * call_.row_size(), call_.pitch(), call_.row_size()},
                          .taps = taps_,
                          .filters = call_.channels,
                          .rows = std::min(kConvLassoRows, height - first),
                          .width = width,
                          .weights = turned_.data(),
                          .y = image + first * width,
                          .filter_stride = height * width,
                          .row_stride = width});
  }

 private:
  const ConvLassoCall& call_;
  const ConvLassoLayout<T>& layout_;
  Taps taps_;
  Workspace<T> turned_;
};

/// Share of the codes that are not zero below which decoding goes by these alone; measured with 64 filters of
/// 9 x 9 on AVX2.
constexpr double kFewCodes = 0.3;

/// Share of the codes of an image that are not zero, by the counts that the last step left in `occupancy`.
inline double density(const ConvLassoCall& call, Index record, Index image) {
  const auto* occupied = static_cast<const std::uint8_t*>(call.occupancy) + image * call.height * record;
  double active = 0.0;
  for (Index row = 0; row < call.height; ++row) {
    std::int64_t count;
    std::memcpy(&count, occupied + row * record, 8);
    active += static_cast<double>(count);
  }
  return active / static_cast<double>(call.filters * call.height * call.width);
}

/// Sparse decoding of the images whose last codes were few: rows of codes are added to their band's part of
/// the image while they are still in cache, and the sum of the parts, in their order, is the image.
class SparseDecoder {
 public:
  SparseDecoder(CpuBackend& backend, const ConvLassoCall& call, const ConvLassoLayout<float>& layout)
      : call_(call),
        layout_(layout),
        bands_((call.height + kConvLassoRows - 1) / kConvLassoRows),
        taps_{call.channels, call.filter_height, call.filter_width},
        part_rows_(kConvLassoRows + call.filter_height - 1),
        part_pitch_(call.padded_width() + call.filter_width + layout.lanes),
        stride_((taps_.count() + layout.lanes - 1) / layout.lanes * layout.lanes),
        few_(static_cast<std::size_t>(call.count)),
        weights_(backend, call.padded_filters() * stride_),
        patches_(backend, patches_size() * omp_get_max_threads()),
        parts_(backend, call.count * bands_ * part_size()) {
    for (Index slot = 0; slot < call.count; ++slot)
      few_[static_cast<std::size_t>(slot)] = density(call, layout.record, call.which[slot]) < kFewCodes;
    std::fill(weights_.data(), weights_.data() + call.padded_filters() * stride_, 0.0f);
    const auto* w = static_cast<const float*>(call.w);
    for (Index k = 0; k < call.filters; ++k)
      std::copy(w + k * taps_.count(), w + (k + 1) * taps_.count(), weights_.data() + k * stride_);
  }

  bool has(Index slot) const { return few_[static_cast<std::size_t>(slot)] != 0; }

  void clear(Index slot, Index band) const {
    float* part = part_of(slot, band);
    std::fill(part, part + part_size(), 0.0f);
  }

  /// `rows` rows of a band's codes, from the `first` of them.
  void add(Index slot, Index band, Index first, Index rows) const {
    const Index row = band * kConvLassoRows + first;
    const auto* occupied = static_cast<const std::uint8_t*>(call_.occupancy);
    const float* codes =
        of_image<float>(static_cast<const void*>(call_.previous), layout_.code_size, call_.which[slot]);
    conv_scatter({.rows = rows,
                  .padded_width = call_.padded_width(),
                  .padded_filters = call_.padded_filters(),
                  .pitch = call_.pitch(),
                  .row_stride = call_.row_size(),
                  .codes = codes + layout_.first_code + row * call_.row_size(),
                  .occupied = occupied + (call_.which[slot] * call_.height + row) * layout_.record,
                  .occupied_stride = layout_.record,
                  .taps = taps_,
                  .weights = weights_.data(),
                  .weight_stride = stride_,
                  .patches = patches_.data() + omp_get_thread_num() * patches_size(),
                  .image = part_of(slot, band) + first * part_pitch_,
                  .image_rows = part_rows_,
                  .image_pitch = part_pitch_});
  }

  /// Rows [begin, end) of the image.
  void add_up(Index slot, Index begin, Index end) const {
    float* image = of_image<float>(call_.previous_image, layout_.image_size, call_.which[slot]);
    const Index width = call_.image_width(), height = call_.image_height();
    for (Index c = 0; c < call_.channels; ++c) {
      for (Index row = begin; row < end; ++row) {
        float* to = image + (c * height + row) * width;
        std::fill(to, to + width, 0.0f);
        const Index reached =
            row +
            call_.padding_y;  // row r of band b's part is row b * kConvLassoRows + r - padding_y of the image
        for (Index band = std::max<Index>(0, (reached - part_rows_ + kConvLassoRows) / kConvLassoRows);
             band <= std::min(reached / kConvLassoRows, bands_ - 1); ++band) {
          const float* from = part_of(slot, band) +
                              (c * part_rows_ + reached - band * kConvLassoRows) * part_pitch_ +
                              call_.padding_x;
#pragma omp simd
          for (Index j = 0; j < width; ++j) to[j] += from[j];
        }
      }
    }
  }

 private:
  Index part_size() const { return taps_.channels * part_rows_ * part_pitch_; }
  Index patches_size() const { return kScatterPlaces * stride_ + layout_.lanes; }
  float* part_of(Index slot, Index band) const {
    return parts_.data() + (slot * bands_ + band) * part_size();
  }

  const ConvLassoCall& call_;
  const ConvLassoLayout<float>& layout_;
  Index bands_;
  Taps taps_;
  Index part_rows_, part_pitch_, stride_;
  std::vector<char> few_;
  Workspace<float> weights_, patches_, parts_;
};

}  // namespace basin
