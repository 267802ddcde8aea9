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

/// Time of a multiply-add that reads and writes memory (a filter added to an image) beside one in registers; measured on AVX2.
constexpr double kScatterCost = 2.5;

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

/// The rows of codes that a band of the image meets: how many numbers they hold, and how many of those are not zero.
struct Density {
  double all = 0.0, active = 0.0;
};

Density density(const ConvLassoCall& call, const std::uint8_t* occupied, Index record, Index first, Index last) {
  Density result;
  const Index begin = std::max<Index>(0, first + call.padding_y - call.filter_height + 1);
  for (Index a = begin; a < std::min(call.height, last + call.padding_y); ++a) {
    std::int64_t count;
    std::memcpy(&count, occupied + a * record, 8);
    result.active += static_cast<double>(count);
    result.all += static_cast<double>(call.filters * call.width);
  }
  return result;
}

/// The image of codes, row by row: by all codes, or by those that are not zero where these are few. `codes` and `image` are the arrays to
/// use; `sparse` says that `occupancy` is of these codes.
template <class T>
void synthesise(CpuBackend& backend, const ConvLassoCall& call, const Layout<T>& layout, const void* codes, void* image, bool sparse) {
  const Index h = call.filter_height, w = call.filter_width, channels = call.channels, lanes = layout.lanes;
  const Index width = call.image_width(), height = call.image_height();
  const T* filters = static_cast<const T*>(call.w);
  const auto filter = [=](Index k, Index c, Index u, Index v) { return filters[((k * channels + c) * h + u) * w + v]; };
  // Turned by 180 degrees for sums over all codes; in rows of whole vectors for sums over some.
  const Taps taps{call.filters, h, w};
  const Workspace<T> turned(backend, filter_blocks(channels) * kFilterBlock * taps.count());
  const auto backwards = [=](Index c, Index k, Index u, Index v) { return filter(k, c, h - 1 - u, w - 1 - v); };
  if (use_filter_blocks(channels)) {
    pack_filters(channels, taps, backwards, turned.data());
  } else {
    T* to = turned.data();
    for (Index c = 0; c < channels; ++c) {
      for (Index k = 0; k < call.filters; ++k) {
        for (Index tap = 0; tap < h * w; ++tap) *to++ = backwards(c, k, tap / w, tap % w);
      }
    }
  }
  const Index weight_pitch = (w + lanes - 1) / lanes * lanes, image_pitch = call.padded_width() + weight_pitch;
  const Workspace<T> lines(backend, sparse ? call.filters * channels * h * weight_pitch : 1);
  if (sparse) {
    T* to = lines.data();
    for (Index k = 0; k < call.filters; ++k) {
      for (Index line = 0; line < channels * h; ++line) {
        for (Index v = 0; v < weight_pitch; ++v) *to++ = v < w ? filter(k, line / h, line % h, v) : T{0};
      }
    }
  }
  const Index room = sparse ? channels * kRows * image_pitch : 0;
  const Workspace<T> memory(backend, room * omp_get_max_threads() + 1);
  // The share of codes below which adding their filters one by one is the faster way.
  const double few = static_cast<double>(w) / (kScatterCost * static_cast<double>(weight_pitch));

  const Index bands = (height + kRows - 1) / kRows;
  const Index cost = kRows * width * call.filters * channels * h * w / kMultiplyAdds;
  parallel_ranges(call.count * bands, cost, 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index at = call.which[item / bands], first = item % bands * kRows, last = std::min(height, first + kRows);
      const T* z = of_image<T>(codes, layout.code_size, at);
      T* to = of_image<T>(image, layout.image_size, at) + first * width;
      if constexpr (sizeof(T) == 4) {
        const std::uint8_t* occupied = static_cast<const std::uint8_t*>(call.occupancy) + at * call.height * layout.record;
        const Density codes_here = sparse ? density(call, occupied, layout.record, first, last) : Density{};
        if (sparse && codes_here.active < few * codes_here.all) {
          T* rows = memory.data() + omp_get_thread_num() * room;
          std::fill(rows, rows + room, T{0});
          conv_scatter({.codes = z + layout.first_code,
                        .height = call.height,
                        .row_stride = call.row_size(),
                        .pitch = call.pitch(),
                        .padded_width = call.padded_width(),
                        .padded_filters = call.padded_filters(),
                        .occupied = occupied,
                        .occupied_stride = layout.record,
                        .taps = {channels, h, w},
                        .weights = lines.data(),
                        .weight_pitch = weight_pitch,
                        .padding_y = call.padding_y,
                        .first = first,
                        .last = last,
                        .image = rows,
                        .image_pitch = image_pitch});
          for (Index c = 0; c < channels; ++c) {
            for (Index row = 0; row < last - first; ++row) {
              const T* line = rows + (c * (last - first) + row) * image_pitch + call.padding_x;
              std::copy(line, line + width, to + (c * height + row) * width);
            }
          }
          continue;
        }
      }
      conv_band(ConvBand<T>{.x = {z + first * call.row_size(), call.pitch(), call.row_size()},
                            .taps = taps,
                            .filters = channels,
                            .rows = last - first,
                            .width = width,
                            .weights = turned.data(),
                            .y = to,
                            .filter_stride = height * width,
                            .row_stride = width});
    }
  });
}

template <class T>
void conv_lasso_as(CpuBackend& backend, const ConvLassoCall& call) {
  const Layout<T> layout(call);
  switch (call.stage) {
    case ConvLassoStage::Synthesis:
      return synthesise(backend, call, layout, call.codes, call.image, false);
    case ConvLassoStage::Step:
      analyse(backend, call, layout);
      return synthesise(backend, call, layout, call.previous, call.previous_image, sizeof(T) == 4);
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
