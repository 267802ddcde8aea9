#include "tensor/cpu/conv_lasso.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/cpu/conv.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

/// Rows of codes, or of the image, that a thread works on at a time.
constexpr Index kRows = 8;

/// Multiply-adds that count as one element of a loop over memory where threads are concerned.
constexpr Index kMultiplyAdds = 8;

/// Share of the codes that are not zero below which decoding goes by these alone; measured with 64 filters of 9 x 9 on AVX2.
constexpr double kFew = 0.15;

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
struct Layout {
  explicit Layout(const ConvLassoCall& call)
      : code_size(call.code_size() / call.images),
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

/// Rows [first, first + rows + h - 1) of y - D u with zeros around the image, row 0 that which the first filter row of code row `first`
/// meets.
template <class T>
Plane<T> residual(const ConvLassoCall& call, const Layout<T>& layout, Index image, T momentum, Index first, Index rows, T* to) {
  const T* y = of_image<T>(call.y, layout.image_size, image);
  const T* now = of_image<T>(static_cast<const void*>(call.image), layout.image_size, image);
  const T* before =
      call.stage == ConvLassoStage::Step ? of_image<T>(static_cast<const void*>(call.previous_image), layout.image_size, image) : now;
  const Index height = call.image_height(), width = call.image_width(), tall = rows + call.filter_height - 1;
  T* line = to;
  for (Index c = 0; c < call.channels; ++c) {
    for (Index row = first - call.padding_y; row < first - call.padding_y + tall; ++row, line += layout.residual_pitch) {
      std::fill(line, line + layout.residual_pitch, T{0});
      if (row < 0 || row >= height) continue;
      // Column j of the image lies at j + padding; what lies beyond the pitch is met by no filter.
      const Index at = (c * height + row) * width, wanted = std::min(width, layout.residual_pitch - call.padding_x);
      T* inside = line + call.padding_x;
#pragma omp simd
      for (Index j = 0; j < wanted; ++j) inside[j] = y[at + j] - (now[at + j] + momentum * (now[at + j] - before[at + j]));
    }
  }
  return {to, tall * layout.residual_pitch, layout.residual_pitch};
}

/// |y - D z|^2 and z'D'(y - D z) = (D z)'(y - D z).
template <class T>
void measure_residual(const ConvLassoCall& call, const Layout<T>& layout, Index image, ConvLassoSums& sums) {
  const T* y = of_image<T>(call.y, layout.image_size, image);
  const T* now = of_image<T>(static_cast<const void*>(call.image), layout.image_size, image);
  for (Index i = 0; i < layout.image_size; ++i) {
    const double r = static_cast<double>(y[i]) - static_cast<double>(now[i]);
    sums.residual += r * r;
    sums.product += static_cast<double>(now[i]) * r;
  }
}

/// Step and Measure: the correlations of y - D u with the filters, and what they do to the codes.
template <class T>
void analyse(CpuBackend& backend, const ConvLassoCall& call, const Layout<T>& layout) {
  const Taps taps{call.channels, call.filter_height, call.filter_width};
  const T* w = static_cast<const T*>(call.w);
  const Workspace<T> weights(backend, call.padded_filters() * taps.count());
  pack_filters(
      call.filters, taps,
      [=](Index k, Index c, Index u, Index v) { return w[((k * taps.channels + c) * taps.height + u) * taps.width + v]; }, weights.data());
  const Index room = call.channels * (kRows + call.filter_height - 1) * layout.residual_pitch;
  const Workspace<T> memory(backend, room * omp_get_max_threads());
  const Index bands = (call.height + kRows - 1) / kRows;
  const Workspace<ConvLassoSums> parts(backend, call.count * bands);

  const bool moves = call.stage == ConvLassoStage::Step;
  const Index cost = kRows * call.padded_width() * call.padded_filters() * taps.count() / kMultiplyAdds;
  parallel_ranges(call.count * bands, cost, 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index slot = item / bands, image = call.which[slot], first = item % bands * kRows;
      const Index rows = std::min(kRows, call.height - first), at = layout.first_code + first * call.row_size();
      const T momentum = moves ? static_cast<T>(call.momentum[slot]) : T{0};
      ConvLassoSums& sums = parts.data()[item];
      sums = {};
      auto* occupied = static_cast<std::uint8_t*>(call.occupancy);
      conv_lasso_rows(
          ConvLassoRows<T>{.residual = residual(call, layout, image, momentum, first, rows, memory.data() + omp_get_thread_num() * room),
                           .taps = taps,
                           .weights = weights.data(),
                           .rows = rows,
                           .width = call.width,
                           .padded_width = call.padded_width(),
                           .padded_filters = call.padded_filters(),
                           .pitch = call.pitch(),
                           .codes = of_image<T>(static_cast<const void*>(call.codes), layout.code_size, image) + at,
                           .previous = moves ? of_image<T>(call.previous, layout.code_size, image) + at : nullptr,
                           .target = call.target != nullptr ? of_image<T>(call.target, layout.code_size, image) + at : nullptr,
                           .weight = static_cast<T>(call.weight),
                           .attraction = static_cast<T>(call.attraction),
                           .step = static_cast<T>(call.step),
                           .lambda = static_cast<T>(call.lambda),
                           .momentum = momentum,
                           .non_negative = call.non_negative,
                           .occupied = moves ? occupied + (image * call.height + first) * layout.record : nullptr,
                           .occupied_stride = layout.record,
                           .sums = &sums});
      if (!moves && first == 0) measure_residual(call, layout, image, sums);
    }
  });
  for (Index slot = 0; slot < call.count; ++slot) {
    ConvLassoSums all;
    for (Index band = 0; band < bands; ++band) {
      const ConvLassoSums& part = parts.data()[slot * bands + band];
      all.uphill += part.uphill;
      all.move += part.move;
      all.length += part.length;
      all.residual += part.residual;
      all.product += part.product;
      all.deviation += part.deviation;
      all.along += part.along;
      all.norm += part.norm;
      all.largest = std::fmax(all.largest, part.largest);
    }
    call.sums[slot] = all;
  }
}

/// Dense decoding: rows of the image from all codes.
template <class T>
class AllCodes {
 public:
  AllCodes(CpuBackend& backend, const ConvLassoCall& call, const Layout<T>& layout)
      : call_(call),
        layout_(layout),
        taps_{call.filters, call.filter_height, call.filter_width},
        turned_(backend, filter_blocks(call.channels) * kFilterBlock * taps_.count()) {
    const T* w = static_cast<const T*>(call.w);
    // A correlation, with the filters turned by 180 degrees.
    const auto backwards = [=, this](Index c, Index k, Index u, Index v) {
      return w[((k * call.channels + c) * taps_.height + taps_.height - 1 - u) * taps_.width + taps_.width - 1 - v];
    };
    if (use_filter_blocks(call.channels)) {
      pack_filters(call.channels, taps_, backwards, turned_.data());
      return;
    }
    T* to = turned_.data();
    for (Index c = 0; c < call.channels; ++c) {
      for (Index k = 0; k < call.filters; ++k) {
        for (Index tap = 0; tap < taps_.height * taps_.width; ++tap) *to++ = backwards(c, k, tap / taps_.width, tap % taps_.width);
      }
    }
  }

  void decode(const T* codes, Index first, T* image) const {
    const Index width = call_.image_width(), height = call_.image_height();
    conv_band(ConvBand<T>{.x = {codes + first * call_.row_size(), call_.pitch(), call_.row_size()},
                          .taps = taps_,
                          .filters = call_.channels,
                          .rows = std::min(kRows, height - first),
                          .width = width,
                          .weights = turned_.data(),
                          .y = image + first * width,
                          .filter_stride = height * width,
                          .row_stride = width});
  }

 private:
  const ConvLassoCall& call_;
  const Layout<T>& layout_;
  Taps taps_;
  Workspace<T> turned_;
};

/// Sparse decoding: each band of codes gives a part of the image, and their sums, in their order, the image.
class FewCodes {
 public:
  FewCodes(CpuBackend& backend, const ConvLassoCall& call, const Layout<float>& layout, Index bands)
      : call_(call),
        layout_(layout),
        bands_(bands),
        taps_{call.channels, call.filter_height, call.filter_width},
        part_rows_(kRows + call.filter_height - 1),
        part_pitch_(call.padded_width() + call.filter_width + layout.lanes),
        weights_(backend, call.filters * taps_.count() + kScatterRoom),
        patches_(backend, (taps_.count() + kScatterRoom) * omp_get_max_threads()),
        parts_(backend, call.count * bands * part_size()) {
    const auto* w = static_cast<const float*>(call.w);
    float* end = std::copy(w, w + call.filters * taps_.count(), weights_.data());
    std::fill(end, end + kScatterRoom, 0.0f);
  }

  void decode_band(Index slot, Index band) const {
    const Index first = band * kRows;
    float* part = part_of(slot, band);
    std::fill(part, part + part_size(), 0.0f);
    const auto* occupied = static_cast<const std::uint8_t*>(call_.occupancy);
    const float* codes = of_image<float>(static_cast<const void*>(call_.previous), layout_.code_size, call_.which[slot]);
    conv_scatter({.rows = std::min(kRows, call_.height - first),
                  .padded_width = call_.padded_width(),
                  .padded_filters = call_.padded_filters(),
                  .pitch = call_.pitch(),
                  .row_stride = call_.row_size(),
                  .codes = codes + layout_.first_code + first * call_.row_size(),
                  .occupied = occupied + (call_.which[slot] * call_.height + first) * layout_.record,
                  .occupied_stride = layout_.record,
                  .taps = taps_,
                  .weights = weights_.data(),
                  .patch = patches_.data() + omp_get_thread_num() * (taps_.count() + kScatterRoom),
                  .image = part,
                  .image_rows = part_rows_,
                  .image_pitch = part_pitch_});
  }

  void add_up(Index slot) const {
    float* image = of_image<float>(call_.previous_image, layout_.image_size, call_.which[slot]);
    const Index width = call_.image_width(), height = call_.image_height();
    std::fill(image, image + layout_.image_size, 0.0f);
    for (Index band = 0; band < bands_; ++band) {
      const Index top = band * kRows - call_.padding_y;
      for (Index c = 0; c < call_.channels; ++c) {
        for (Index row = std::max<Index>(0, -top); row < std::min(part_rows_, height - top); ++row) {
          const float* from = part_of(slot, band) + (c * part_rows_ + row) * part_pitch_ + call_.padding_x;
          float* to = image + (c * height + top + row) * width;
#pragma omp simd
          for (Index j = 0; j < width; ++j) to[j] += from[j];
        }
      }
    }
  }

 private:
  Index part_size() const { return taps_.channels * part_rows_ * part_pitch_; }
  float* part_of(Index slot, Index band) const { return parts_.data() + (slot * bands_ + band) * part_size(); }

  const ConvLassoCall& call_;
  const Layout<float>& layout_;
  Index bands_;
  Taps taps_;
  Index part_rows_, part_pitch_;
  Workspace<float> weights_, patches_, parts_;
};

/// True when few of an image's codes are not zero, by the counts that a step left in `occupancy`.
bool is_sparse(const ConvLassoCall& call, Index record, Index image) {
  const auto* occupied = static_cast<const std::uint8_t*>(call.occupancy) + image * call.height * record;
  double active = 0.0;
  for (Index row = 0; row < call.height; ++row) {
    std::int64_t count;
    std::memcpy(&count, occupied + row * record, 8);
    active += static_cast<double>(count);
  }
  return active < kFew * static_cast<double>(call.filters * call.height * call.width);
}

template <class T>
Index decoding_cost(const ConvLassoCall& call) {
  return kRows * call.image_width() * call.filters * call.channels * call.filter_height * call.filter_width / kMultiplyAdds;
}

/// Synthesis: the image of `codes`.
template <class T>
void synthesise(CpuBackend& backend, const ConvLassoCall& call, const Layout<T>& layout) {
  const AllCodes<T> dense(backend, call, layout);
  const Index bands = (call.image_height() + kRows - 1) / kRows;
  parallel_ranges(call.count * bands, decoding_cost<T>(call), 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index image = call.which[item / bands];
      dense.decode(of_image<T>(static_cast<const void*>(call.codes), layout.code_size, image), item % bands * kRows,
                   of_image<T>(call.image, layout.image_size, image));
    }
  });
}

/// The end of a step: the images of the new codes, in the way that their number suggests.
template <class T>
void decode(CpuBackend& backend, const ConvLassoCall& call, const Layout<T>& layout) {
  const Index code_bands = (call.height + kRows - 1) / kRows, image_bands = (call.image_height() + kRows - 1) / kRows;
  const AllCodes<T> dense(backend, call, layout);
  const auto decode_all = [&](Index image, Index band) {
    dense.decode(of_image<T>(static_cast<const void*>(call.previous), layout.code_size, image), band * kRows,
                 of_image<T>(call.previous_image, layout.image_size, image));
  };
  if constexpr (sizeof(T) == 4) {
    const FewCodes sparse(backend, call, layout, code_bands);
    const Index bands = std::max(code_bands, image_bands);
    parallel_ranges(call.count * bands, decoding_cost<T>(call), 1, [&](Index begin, Index end) {
      for (Index item = begin; item < end; ++item) {
        const Index slot = item / bands, band = item % bands, image = call.which[slot];
        if (is_sparse(call, layout.record, image)) {
          if (band < code_bands) sparse.decode_band(slot, band);
        } else if (band < image_bands) {
          decode_all(image, band);
        }
      }
    });
    parallel_ranges(call.count, layout.image_size, 1, [&](Index begin, Index end) {
      for (Index slot = begin; slot < end; ++slot) {
        if (is_sparse(call, layout.record, call.which[slot])) sparse.add_up(slot);
      }
    });
  } else {
    parallel_ranges(call.count * image_bands, decoding_cost<T>(call), 1, [&](Index begin, Index end) {
      for (Index item = begin; item < end; ++item) decode_all(call.which[item / image_bands], item % image_bands);
    });
  }
}

template <class T>
void conv_lasso_as(CpuBackend& backend, const ConvLassoCall& call) {
  const Layout<T> layout(call);
  switch (call.stage) {
    case ConvLassoStage::Synthesis:
      return synthesise(backend, call, layout);
    case ConvLassoStage::Step:
      analyse(backend, call, layout);
      return decode(backend, call, layout);
    case ConvLassoStage::Measure:
      return analyse(backend, call, layout);
  }
}

}  // namespace

void CpuBackend::conv_lasso(const ConvLassoCall& call) {
  if (call.count <= 0) return;
  if (call.dtype == Dtype::F32) conv_lasso_as<float>(*this, call);
  if (call.dtype == Dtype::F64) conv_lasso_as<double>(*this, call);
}

}  // namespace basin
