#include "tensor/cpu/conv/conv.h"

#include <omp.h>

#include <algorithm>

#include "tensor/cpu/conv/conv_direct.h"
#include "tensor/cpu/conv/conv_onednn.h"
#include "tensor/cpu/conv/conv_winograd.h"
#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

/// Rows of the result that are computed together: with the rows of x that they need they stay in the
/// second-level cache.
constexpr Index kBandRows = 8;

/// Multiply-adds that count as one element of a loop over memory where threads are concerned.
constexpr Index kMultiplyAdds = 8;

/// Independent pieces that the filter product is at least split into, however many threads there are.
constexpr Index kFilterPieces = 16;

template <class T>
const T* as(const void* address) {
  return static_cast<const T*>(address);
}

/// Images of one array: [images, channels, height, width].
template <class T>
struct Images {
  const T* data;
  Index channels, height, width;
  Plane<T> plane(Index image) const {
    return {data + image * channels * height * width, height * width, width};
  }
};

/// Rows [first_row, first_row + rows) of columns [first_column, first_column + pitch) of all channels, zero
/// outside of the image.
template <class T>
Plane<T> copy_rows(const Plane<T>& from, Index channels, Index height, Index width, Index first_row,
                   Index rows, Index first_column, Index pitch, T* to) {
  const Index begin = std::clamp(-first_column, Index{0}, pitch),
              end = std::clamp(width - first_column, begin, pitch);
  T* row = to;
  for (Index c = 0; c < channels; ++c) {
    for (Index y = first_row; y < first_row + rows; ++y, row += pitch) {
      if (y < 0 || y >= height) {
        std::fill(row, row + pitch, T{0});
        continue;
      }
      const T* line = from.row(c, y) + first_column;
      std::fill(row, row + begin, T{0});
      std::copy(line + begin, line + end, row + begin);
      std::fill(row + end, row + pitch, T{0});
    }
  }
  return {to, rows * pitch, pitch};
}

/// A correlation whose padding may be negative, which crops.
template <class T>
struct Correlation {
  Images<T> x;
  Index images, filters, filter_height, filter_width, padding_y, padding_x;
  T* y;

  Taps taps() const { return {x.channels, filter_height, filter_width}; }
  Index height() const { return x.height + 2 * padding_y - filter_height + 1; }
  Index width() const { return x.width + 2 * padding_x - filter_width + 1; }
};

/// `weight(k, c, u, v)` gives the filters.
template <class T, class Weight>
void correlate(CpuBackend& backend, const Correlation<T>& job, const Weight& weight) {
  const Taps taps = job.taps();
  const Index height = job.height(), width = job.width(), lanes = conv_lanes(sizeof(T));
  const Workspace<T> weights(backend, filter_blocks(job.filters) * kFilterBlock * taps.count());
  if (use_filter_blocks(job.filters)) {
    pack_filters(job.filters, taps, weight, weights.data());
  } else {
    T* to = weights.data();
    for (Index k = 0; k < job.filters; ++k) {
      for (Index c = 0; c < taps.channels; ++c) {
        for (Index u = 0; u < taps.height; ++u) {
          for (Index v = 0; v < taps.width; ++v) *to++ = weight(k, c, u, v);
        }
      }
    }
  }
  // Where nothing outside of x is read, the sums run over x itself; else over copies of a band's rows with
  // their borders.
  const bool inside = job.padding_y <= 0 && job.padding_x <= 0 && width >= lanes;
  const Index pitch = std::max(width, lanes) + taps.width - 1, rows_read = kBandRows + taps.height - 1;
  const Index room = inside ? 0 : taps.channels * rows_read * pitch;
  const Workspace<T> copies(backend, room * omp_get_max_threads() + 1);

  const Index bands = (height + kBandRows - 1) / kBandRows;
  const Index cost = kBandRows * width * job.filters * taps.count() / kMultiplyAdds + 1;
  parallel_ranges(job.images * bands, cost, 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      const Index image = item / bands, first = item % bands * kBandRows,
                  rows = std::min(kBandRows, height - first);
      const Plane<T> all = job.x.plane(image);
      const Plane<T> x = inside ? all.at(first - job.padding_y, -job.padding_x)
                                : copy_rows(all, taps.channels, job.x.height, job.x.width,
                                            first - job.padding_y, rows + taps.height - 1, -job.padding_x,
                                            pitch, copies.data() + omp_get_thread_num() * room);
      conv_band(ConvBand<T>{.x = x,
                            .taps = taps,
                            .filters = job.filters,
                            .rows = rows,
                            .width = width,
                            .weights = weights.data(),
                            .y = job.y + image * job.filters * height * width + first * width,
                            .filter_stride = height * width,
                            .row_stride = width});
    }
  });
}

template <class T>
void output(CpuBackend& backend, const ConvCall& call) {
  const Index channels = call.in_channels, h = call.filter_height, w = call.filter_width;
  const T* weights = as<T>(call.w);
  const Correlation<T> job{{as<T>(call.x), channels, call.height, call.width},
                           call.images,
                           call.out_channels,
                           h,
                           w,
                           call.padding_y,
                           call.padding_x,
                           static_cast<T*>(call.result)};
  correlate(backend, job, [=](Index k, Index c, Index u, Index v) {
    return weights[((k * channels + c) * h + u) * w + v];
  });
}

/// The transpose is a correlation of y with the filters turned by 180 degrees, channels and filters
/// exchanged.
template <class T>
void input(CpuBackend& backend, const ConvCall& call) {
  const Index channels = call.in_channels, h = call.filter_height, w = call.filter_width;
  const T* weights = as<T>(call.w);
  const Correlation<T> job{{as<T>(call.y), call.out_channels, call.out_height(), call.out_width()},
                           call.images,
                           channels,
                           h,
                           w,
                           h - 1 - call.padding_y,
                           w - 1 - call.padding_x,
                           static_cast<T*>(call.result)};
  correlate(backend, job, [=](Index c, Index k, Index u, Index v) {
    return weights[((k * channels + c) * h + (h - 1 - u)) * w + (w - 1 - v)];
  });
}

/// sums[a, b, u, v] = sum_{n,i,j} wide[n,a,i,j] narrow[n,b,i+u-padding_y,j+v-padding_x], given to store(a, b,
/// u, v, sum). Vectors run along the rows; of an image the sums are in T, over the images in f64. The pieces,
/// groups of images times blocks of `wide`'s channels, do not depend on the threads.
template <class T, class Store>
void correlate_pairs(CpuBackend& backend, Index images, const Images<T>& wide, const Images<T>& narrow,
                     const Taps& taps, Index padding_y, Index padding_x, const Store& store) {
  const Index lanes = conv_lanes(sizeof(T)), blocks = filter_blocks(wide.channels);
  const Index groups = std::clamp(kFilterPieces / blocks, Index{1}, images),
              sums = taps.count() * kFilterBlock;
  const Index wide_pitch = (wide.width + lanes - 1) / lanes * lanes,
              narrow_pitch = wide_pitch + taps.width - 1;
  const Index wide_room = kFilterBlock * kBandRows * wide_pitch;
  const Index narrow_room = narrow.channels * (kBandRows + taps.height - 1) * narrow_pitch;
  const Index room = wide_room + narrow_room + sums * lanes;
  const Workspace<T> memory(backend, room * omp_get_max_threads());
  const Workspace<double> totals(backend, groups * blocks * sums);

  const Index cost = images / groups * wide.height * wide.width * sums / kMultiplyAdds + 1;
  parallel_ranges(groups * blocks, cost, 1, [&](Index begin, Index end) {
    T* wide_rows = memory.data() + omp_get_thread_num() * room;
    T* narrow_rows = wide_rows + wide_room;
    T* lane_sums = narrow_rows + narrow_room;
    for (Index item = begin; item < end; ++item) {
      const Index group = item / blocks, first = item % blocks * kFilterBlock;
      const Index here = std::min<Index>(kFilterBlock, wide.channels - first);
      double* total = totals.data() + item * sums;
      std::fill(total, total + sums, 0.0);
      for (Index image = group * images / groups; image < (group + 1) * images / groups; ++image) {
        std::fill(lane_sums, lane_sums + sums * lanes, T{0});
        const Plane<T> all = wide.plane(image);
        const Plane<T> block{all.row(first, 0), all.channel_stride, all.row_stride};
        for (Index row = 0; row < wide.height; row += kBandRows) {
          const Index rows = std::min(kBandRows, wide.height - row);
          const Plane<T> y =
              copy_rows(block, here, wide.height, wide.width, row, rows, 0, wide_pitch, wide_rows);
          std::fill(wide_rows + here * rows * wide_pitch, wide_rows + kFilterBlock * rows * wide_pitch, T{0});
          const Plane<T> x =
              copy_rows(narrow.plane(image), narrow.channels, narrow.height, narrow.width, row - padding_y,
                        rows + taps.height - 1, -padding_x, narrow_pitch, narrow_rows);
          conv_filter_band(ConvFilterBand<T>{.x = x,
                                             .y = y,
                                             .taps = taps,
                                             .filters = kFilterBlock,
                                             .rows = rows,
                                             .width = wide_pitch,
                                             .sums = lane_sums});
        }
        for (Index i = 0; i < sums; ++i) {
          double sum = 0.0;
          for (Index lane = 0; lane < lanes; ++lane) sum += static_cast<double>(lane_sums[i * lanes + lane]);
          total[i] += sum;
        }
      }
    }
  });

  for (Index a = 0; a < wide.channels; ++a) {
    for (Index tap = 0; tap < taps.count(); ++tap) {
      double sum = 0.0;
      for (Index group = 0; group < groups; ++group) {
        sum += totals.data()[((group * blocks + a / kFilterBlock) * taps.count() + tap) * kFilterBlock +
                             a % kFilterBlock];
      }
      const Index v = tap % taps.width, u = tap / taps.width % taps.height;
      store(a, tap / (taps.width * taps.height), u, v, static_cast<T>(sum));
    }
  }
}

/// The side with more channels is read without a shift, four of its channels at a time.
template <class T>
void filter(CpuBackend& backend, const ConvCall& call) {
  const Index channels = call.in_channels, h = call.filter_height, w = call.filter_width;
  const Images<T> x{as<T>(call.x), channels, call.height, call.width};
  const Images<T> y{as<T>(call.y), call.out_channels, call.out_height(), call.out_width()};
  T* result = static_cast<T*>(call.result);
  const auto at = [=](Index k, Index c, Index u, Index v) -> T& {
    return result[((k * channels + c) * h + u) * w + v];
  };
  if (y.channels >= x.channels) {
    correlate_pairs(backend, call.images, y, x, {x.channels, h, w}, call.padding_y, call.padding_x,
                    [=](Index k, Index c, Index u, Index v, T sum) { at(k, c, u, v) = sum; });
  } else {
    correlate_pairs(backend, call.images, x, y, {y.channels, h, w}, h - 1 - call.padding_y,
                    w - 1 - call.padding_x,
                    [=](Index c, Index k, Index u, Index v, T sum) { at(k, c, h - 1 - u, w - 1 - v) = sum; });
  }
}

template <class T>
void convolve_as(CpuBackend& backend, const ConvCall& call) {
  switch (call.product) {
    case ConvProduct::Output:
      return output<T>(backend, call);
    case ConvProduct::Input:
      return input<T>(backend, call);
    case ConvProduct::Filter:
      return filter<T>(backend, call);
  }
}

/// Which kernels, measured on AVX2 for 3 x 3 and 5 x 5 filters: with fewer channels on one side than this,
/// our own are 1.2 to 4 times oneDNN's rate, with more oneDNN's are 1.3 to 2.5 times ours.
constexpr Index kChannels = 4;

bool is_plain(const ConvCall& call) {
  return call.stride_y == 1 && call.stride_x == 1 && call.dilation_y == 1 && call.dilation_x == 1 &&
         call.groups == 1;
}

}  // namespace

void CpuBackend::convolve(const ConvCall& call) {
  if (is_winograd(call)) return conv_winograd(*this, call);
  const bool plain = is_plain(call);
  const bool many = std::min(call.in_channels, call.out_channels) >= kChannels;
  if (call.dtype == Dtype::F32 && (many || !plain) && conv_onednn(*this, call)) return;
  if (!plain) return conv_direct(call);
  if (call.dtype == Dtype::F32) convolve_as<float>(*this, call);
  if (call.dtype == Dtype::F64) convolve_as<double>(*this, call);
}

}  // namespace basin
