#include "tensor/cpu/conv/conv_winograd.h"

#include <omp.h>

#include <algorithm>

#include "tensor/cpu/one_thread.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

constexpr Index kSide = 4, kPlaces = kSide * kSide;  // of a transformed tile of 2 x 2 outputs

/// Numbers of all transformed tiles of a band, which with the filters stay in the second-level cache.
constexpr Index kBandNumbers = 160 * 1024;

/// Groups of bands whose filters' sums are added up apart, however many threads there are.
constexpr Index kGroups = 16;

/// Channels below which the transforms cost more than the products save.
constexpr Index kLeastChannels = 16;

constexpr Index kMultiplyAdds = 8;

/// Bands are filled up to whole multiples of so many tiles: products of other sizes run at 3/4 of the rate.
constexpr Index kGranule = 16;

constexpr Index filled(Index tiles) { return (tiles + kGranule - 1) / kGranule * kGranule; }

/// A correlation y = x * w with padding, as tiles of 2 x 2 outputs, and its bands: some rows of tiles of one
/// image.
struct Tiles {
  Index images, inputs, outputs, height, width, padding_y, padding_x;
  Index out_height = height + 2 * padding_y - 2, out_width = width + 2 * padding_x - 2;
  Index tile_rows = (out_height + 1) / 2, tile_columns = (out_width + 1) / 2;
  /// Tiles of a row, with one more that means nothing: what lies behind a tile's four columns is the next
  /// tile's place, so that loops run over all rows of a band at once.
  Index pitch = tile_columns + 1;
  Index band_rows = std::clamp<Index>(kBandNumbers / (kPlaces * (inputs + outputs) * pitch), 1, tile_rows);
  Index bands = (tile_rows + band_rows - 1) / band_rows;  // of an image

  Index items() const { return images * bands; }
  Index most() const { return filled(band_rows * pitch); }  // tiles of a band
  Index cost() const { return most() * kPlaces * inputs * outputs / kMultiplyAdds + 1; }
};

struct Band {
  Index image, first_row, rows, tiles;
  Band(const Tiles& all, Index item)
      : image(item / all.bands),
        first_row(item % all.bands * all.band_rows),
        rows(std::min(all.band_rows, all.tile_rows - first_row)),
        tiles(filled(rows * all.pitch)) {}
};

/// What a thread works on: lines of split and of half transformed rows, and transformed tiles.
struct Room {
  static constexpr Index kLines = 24;
  float *lines, *in, *out;
  static Index line(const Tiles& all) { return (all.band_rows + 1) * all.pitch + 2 * kGranule; }
  static Index size(const Tiles& all) {
    return kLines * line(all) + kPlaces * (all.inputs + all.outputs) * all.most();
  }
  Room(const Tiles& all, float* memory)
      : lines(memory), in(memory + kLines * line(all)), out(in + kPlaces * all.inputs * all.most()) {}
};

/// Numbers at 2 j + first and the ones behind them of a row of `width`, zeros outside, for j < n.
void split_row(const float* row, Index width, Index first, float* even, float* odd, Index n) {
  const Index begin = std::clamp<Index>((1 - first) / 2, 0, n);        // from here on both lie inside ...
  const Index end = std::clamp<Index>((width - first) / 2, begin, n);  // ... and from here on not any more
  const auto at = [&](Index i) { return i >= 0 && i < width ? row[i] : 0.0F; };
  const auto by_hand = [&](Index from, Index to) {
    for (Index j = from; j < to; ++j) {
      even[j] = at(2 * j + first);
      odd[j] = at(2 * j + first + 1);
    }
  };
  by_hand(0, begin);
  const float* start = row + first;
#pragma omp simd
  for (Index j = begin; j < end; ++j) {
    even[j] = start[2 * j];
    odd[j] = start[2 * j + 1];
  }
  by_hand(end, n);
}

/// to[a][b] = (B' d B)[a][b] of each tile of a band, for one channel; places are `stride` numbers apart.
void transform_input(const Tiles& all, const Band& band, const float* plane, const Room& room, float* to,
                     Index stride) {
  const Index pitch = all.pitch, line = Room::line(all), split = (band.rows + 1) * pitch;
  // Rows 2 i and 2 i + 1 of the band, each split into its even and odd columns; one column more than tiles.
  float* d[2][2];
  for (Index parity = 0; parity < 2; ++parity) {
    d[parity][0] = room.lines + 2 * parity * line;
    d[parity][1] = d[parity][0] + line;
    for (Index i = 0; i <= band.rows; ++i) {
      float *even = d[parity][0] + i * pitch, *odd = d[parity][1] + i * pitch;
      const Index y = 2 * (band.first_row + i) + parity - all.padding_y;
      if (y < 0 || y >= all.height) {
        std::fill_n(even, pitch, 0.0F);
        std::fill_n(odd, pitch, 0.0F);
      } else {
        split_row(plane + y * all.width, all.width, -all.padding_x, even, odd, pitch);
      }
    }
    for (float* columns : d[parity]) std::fill_n(columns + split, kGranule + 1, 0.0F);
  }
  float* t[2][kSide];
  for (Index parity = 0; parity < 2; ++parity) {
    for (Index b = 0; b < kSide; ++b) t[parity][b] = room.lines + (4 + 4 * parity + b) * line;
    const float *even = d[parity][0], *odd = d[parity][1];
    float *t0 = t[parity][0], *t1 = t[parity][1], *t2 = t[parity][2], *t3 = t[parity][3];
#pragma omp simd
    for (Index j = 0; j < split + kGranule; ++j) {
      const float left = even[j], middle = odd[j], right = even[j + 1];
      t0[j] = left - right;
      t1[j] = middle + right;
      t2[j] = right - middle;
      t3[j] = middle - odd[j + 1];
    }
  }
  for (Index b = 0; b < kSide; ++b) {
    const float *upper = t[0][b], *lower = t[1][b];
    float *v0 = to + b * stride, *v1 = v0 + kSide * stride, *v2 = v1 + kSide * stride,
          *v3 = v2 + kSide * stride;
#pragma omp simd
    for (Index j = 0; j < band.tiles; ++j) {
      const float d1 = lower[j], d2 = upper[j + pitch];
      v0[j] = upper[j] - d2;
      v1[j] = d1 + d2;
      v2[j] = d2 - d1;
      v3[j] = d1 - lower[j + pitch];
    }
  }
}

/// to[2 j] = even[j] and to[2 j + 1] = odd[j], n numbers in all.
void join_row(const float* even, const float* odd, float* to, Index n) {
#pragma omp simd
  for (Index j = 0; j < n / 2; ++j) {
    to[2 * j] = even[j];
    to[2 * j + 1] = odd[j];
  }
  if (n % 2 != 0) to[n - 1] = even[n / 2];
}

/// Two rows of outputs for each row of tiles, (A' m A), of one channel.
void transform_output(const Tiles& all, const Band& band, const float* from, Index stride, const Room& room,
                      float* plane) {
  const Index line = Room::line(all);
  float* sums[kSide];  // m[0] + m[1] + m[2] of each column of m, then m[1] - m[2] - m[3]
  float* differences[kSide];
  for (Index b = 0; b < kSide; ++b) {
    sums[b] = room.lines + b * line;
    differences[b] = room.lines + (kSide + b) * line;
    const float *m0 = from + b * stride, *m1 = m0 + kSide * stride, *m2 = m1 + kSide * stride,
                *m3 = m2 + kSide * stride;
    float *s = sums[b], *d = differences[b];
#pragma omp simd
    for (Index j = 0; j < band.tiles; ++j) {
      s[j] = m0[j] + m1[j] + m2[j];
      d[j] = m1[j] - m2[j] - m3[j];
    }
  }
  for (Index half = 0; half < 2; ++half) {
    float** h = half == 0 ? sums : differences;
    float *h0 = h[0], *h1 = h[1], *h2 = h[2], *h3 = h[3];
#pragma omp simd
    for (Index j = 0; j < band.tiles; ++j) {
      const float even = h0[j] + h1[j] + h2[j];
      h3[j] = h1[j] - h2[j] - h3[j];
      h0[j] = even;
    }
    for (Index i = 0; i < band.rows; ++i) {
      const Index y = 2 * (band.first_row + i) + half;
      if (y < all.out_height)
        join_row(h0 + i * all.pitch, h3 + i * all.pitch, plane + y * all.out_width, all.out_width);
    }
  }
}

/// (A g A') of the gradients of each tile's 2 x 2 outputs, zeros outside, for one channel.
void transform_gradient(const Tiles& all, const Band& band, const float* plane, const Room& room, float* to,
                        Index stride) {
  const Index pitch = all.pitch, line = Room::line(all);
  float* g[2][2];
  for (Index parity = 0; parity < 2; ++parity) {
    float *even = g[parity][0] = room.lines + 2 * parity * line, *odd = g[parity][1] = even + line;
    for (Index i = 0; i < band.rows; ++i, even += pitch, odd += pitch) {
      const Index y = 2 * (band.first_row + i) + parity;
      if (y < all.out_height) {
        split_row(plane + y * all.out_width, all.out_width, 0, even, odd, pitch);
      } else {
        std::fill_n(even, pitch, 0.0F);
        std::fill_n(odd, pitch, 0.0F);
      }
    }
    std::fill_n(even, kGranule, 0.0F);
    std::fill_n(odd, kGranule, 0.0F);
  }
  const float *g00 = g[0][0], *g01 = g[0][1], *g10 = g[1][0], *g11 = g[1][1];
  const auto row = [&](Index a, auto pick) {
    float *m0 = to + a * kSide * stride, *m1 = m0 + stride, *m2 = m1 + stride, *m3 = m2 + stride;
#pragma omp simd
    for (Index j = 0; j < band.tiles; ++j) {
      const float left = pick(g00[j], g10[j]), right = pick(g01[j], g11[j]);
      m0[j] = left;
      m1[j] = left + right;
      m2[j] = left - right;
      m3[j] = -right;
    }
  };
  row(0, [](float above, float) { return above; });
  row(1, [](float above, float below) { return above + below; });
  row(2, [](float above, float below) { return above - below; });
  row(3, [](float, float below) { return -below; });
}

/// u[a][b][k][c] = (G w G')[a][b] of weight(k, c, u, v).
template <class Weight>
void transform_filters(Index outputs, Index inputs, const Weight& weight, float* u) {
  for (Index k = 0; k < outputs; ++k) {
    for (Index c = 0; c < inputs; ++c) {
      float half[kSide][3];
      for (Index v = 0; v < 3; ++v) {
        const float w0 = weight(k, c, 0, v), w1 = weight(k, c, 1, v), w2 = weight(k, c, 2, v);
        half[0][v] = w0;
        half[1][v] = 0.5F * (w0 + w1 + w2);
        half[2][v] = 0.5F * (w0 - w1 + w2);
        half[3][v] = w2;
      }
      for (Index a = 0; a < kSide; ++a) {
        const float *h = half[a],
                    full[kSide] = {h[0], 0.5F * (h[0] + h[1] + h[2]), 0.5F * (h[0] - h[1] + h[2]), h[2]};
        for (Index b = 0; b < kSide; ++b) u[((a * kSide + b) * outputs + k) * inputs + c] = full[b];
      }
    }
  }
}

/// y = x * w: x [images, inputs, ..], w by `weight`.
template <class Weight>
void correlate(CpuBackend& backend, const Tiles& all, const float* x, const Weight& weight, float* y) {
  const Index room_size = Room::size(all);
  const Workspace<float> memory(backend, room_size * omp_get_max_threads()),
      filters(backend, kPlaces * all.outputs * all.inputs);
  transform_filters(all.outputs, all.inputs, weight, filters.data());
  parallel_ranges(all.items(), all.cost(), 1, [&](Index begin, Index end) {
    const Room room(all, memory.data() + omp_get_thread_num() * room_size);
    const OneThread one;
    for (Index item = begin; item < end; ++item) {
      const Band band(all, item);
      for (Index c = 0; c < all.inputs; ++c)
        transform_input(all, band, x + (band.image * all.inputs + c) * all.height * all.width, room,
                        room.in + c * band.tiles, all.inputs * band.tiles);
      GemmCall product{.m = all.outputs,
                       .n = band.tiles,
                       .k = all.inputs,
                       .a = filters.data(),
                       .lda = all.inputs,
                       .b = room.in,
                       .ldb = band.tiles,
                       .c = room.out,
                       .ldc = band.tiles,
                       .batch = kPlaces,
                       .stride_a = all.outputs * all.inputs,
                       .stride_b = all.inputs * band.tiles,
                       .stride_c = all.outputs * band.tiles};
      backend.gemm(product);
      for (Index k = 0; k < all.outputs; ++k)
        transform_output(all, band, room.out + k * band.tiles, all.outputs * band.tiles, room,
                         y + (band.image * all.outputs + k) * all.out_height * all.out_width);
    }
  });
}

/// The gradient in the filters: products of transformed inputs and gradients, added up over bands.
void filter(CpuBackend& backend, const Tiles& all, const float* x, const float* y, float* w) {
  const Index room_size = Room::size(all), pairs = all.outputs * all.inputs;
  const Index groups = std::min(kGroups, all.items());
  const Workspace<float> memory(backend, room_size * omp_get_max_threads()),
      totals(backend, groups * kPlaces * pairs);
  parallel_ranges(groups, all.cost() * (all.items() / groups), 1, [&](Index begin, Index end) {
    const Room room(all, memory.data() + omp_get_thread_num() * room_size);
    const OneThread one;
    for (Index group = begin; group < end; ++group) {
      const Index first = group * all.items() / groups, last = (group + 1) * all.items() / groups;
      for (Index item = first; item < last; ++item) {
        const Band band(all, item);
        for (Index c = 0; c < all.inputs; ++c)
          transform_input(all, band, x + (band.image * all.inputs + c) * all.height * all.width, room,
                          room.in + c * band.tiles, all.inputs * band.tiles);
        for (Index k = 0; k < all.outputs; ++k)
          transform_gradient(all, band, y + (band.image * all.outputs + k) * all.out_height * all.out_width,
                             room, room.out + k * band.tiles, all.outputs * band.tiles);
        GemmCall product{.transpose_b = true,
                         .m = all.outputs,
                         .n = all.inputs,
                         .k = band.tiles,
                         .a = room.out,
                         .lda = band.tiles,
                         .b = room.in,
                         .ldb = band.tiles,
                         .beta = item == first ? 0.0 : 1.0,
                         .c = totals.data() + group * kPlaces * pairs,
                         .ldc = all.inputs,
                         .batch = kPlaces,
                         .stride_a = all.outputs * band.tiles,
                         .stride_b = all.inputs * band.tiles,
                         .stride_c = pairs};
        backend.gemm(product);
      }
    }
  });
  parallel_ranges(pairs, kPlaces * groups, 1, [&](Index begin, Index end) {
    for (Index pair = begin; pair < end; ++pair) {
      double u[kSide][kSide] = {}, half[3][kSide];
      for (Index group = 0; group < groups; ++group) {
        for (Index place = 0; place < kPlaces; ++place)
          u[place / kSide][place % kSide] +=
              static_cast<double>(totals.data()[(group * kPlaces + place) * pairs + pair]);
      }
      for (Index b = 0; b < kSide; ++b) {
        half[0][b] = u[0][b] + 0.5 * (u[1][b] + u[2][b]);
        half[1][b] = 0.5 * (u[1][b] - u[2][b]);
        half[2][b] = 0.5 * (u[1][b] + u[2][b]) + u[3][b];
      }
      for (Index a = 0; a < 3; ++a) {
        float* row = w + pair * 9 + a * 3;
        row[0] = static_cast<float>(half[a][0] + 0.5 * (half[a][1] + half[a][2]));
        row[1] = static_cast<float>(0.5 * (half[a][1] - half[a][2]));
        row[2] = static_cast<float>(0.5 * (half[a][1] + half[a][2]) + half[a][3]);
      }
    }
  });
}

}  // namespace

bool is_winograd(const ConvCall& call) {
  return call.dtype == Dtype::F32 && call.filter_height == 3 && call.filter_width == 3 &&
         call.stride_y == 1 && call.stride_x == 1 && call.dilation_y == 1 && call.dilation_x == 1 &&
         call.groups == 1 && std::max(call.padding_y, call.padding_x) <= 2 && call.out_height() >= 4 &&
         call.out_width() >= 8 && std::min(call.in_channels, call.out_channels) >= kLeastChannels;
}

void conv_winograd(CpuBackend& backend, const ConvCall& call) {
  const auto *x = static_cast<const float*>(call.x), *w = static_cast<const float*>(call.w),
             *y = static_cast<const float*>(call.y);
  auto* result = static_cast<float*>(call.result);
  const Index inputs = call.in_channels, outputs = call.out_channels;
  const Tiles forward{call.images, inputs, outputs, call.height, call.width, call.padding_y, call.padding_x};
  if (call.product == ConvProduct::Output) {
    correlate(
        backend, forward, x,
        [=](Index k, Index c, Index u, Index v) { return w[((k * inputs + c) * 3 + u) * 3 + v]; }, result);
  } else if (call.product == ConvProduct::Input) {
    // The transpose: filters turned by 180 degrees, channels exchanged.
    const Tiles backward{call.images,        outputs,           inputs, call.out_height(), call.out_width(),
                         2 - call.padding_y, 2 - call.padding_x};
    correlate(
        backend, backward, y,
        [=](Index c, Index k, Index u, Index v) { return w[((k * inputs + c) * 3 + 2 - u) * 3 + 2 - v]; },
        result);
  } else {
    filter(backend, forward, x, y, result);
  }
}

}  // namespace basin
