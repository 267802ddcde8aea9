#pragma once

#include "tensor/backend.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// The sizes of a ConvCall as kernels want them, for images first .. first + images - 1 of one group of
/// channels.
struct ConvSizes {
  Index images, channels, height, width, filter_height, filter_width, padding_y, padding_x, stride_y,
      stride_x, dilation_y, dilation_x, out_height, out_width;
  Index image_stride;  // of x, in elements

  explicit ConvSizes(const ConvCall& call)
      : images(call.images),
        channels(call.in_channels / call.groups),
        height(call.height),
        width(call.width),
        filter_height(call.filter_height),
        filter_width(call.filter_width),
        padding_y(call.padding_y),
        padding_x(call.padding_x),
        stride_y(call.stride_y),
        stride_x(call.stride_x),
        dilation_y(call.dilation_y),
        dilation_x(call.dilation_x),
        out_height(call.out_height()),
        out_width(call.out_width()),
        image_stride(call.in_channels * call.height * call.width) {}
  BASIN_HOST_DEVICE Index out() const { return out_height * out_width; }
};

/// columns[c, u, v, n, i, j] = x[n, c, s i + d u - padding_y, ...], 0 outside: the matrix whose product with
/// filters [k, c u v] is the correlation of all images. A thread does all (u, v) of (c, n, i, j).
template <class T>
struct ImagesToColumns {
  ConvSizes sizes;
  const T* x;
  T* columns;
  BASIN_HOST_DEVICE void operator()(Index item) const {
    const Index out = sizes.out(), all = sizes.images * out;
    const Index c = item / all, place = item - c * all, n = place / out, at = place - n * out;
    const Index i = at / sizes.out_width, j = at - i * sizes.out_width;
    const T* plane = x + n * sizes.image_stride + c * sizes.height * sizes.width;
    T* to = columns + c * sizes.filter_height * sizes.filter_width * all + place;
    for (Index u = 0; u < sizes.filter_height; ++u) {
      const Index a = i * sizes.stride_y + u * sizes.dilation_y - sizes.padding_y;
      for (Index v = 0; v < sizes.filter_width; ++v, to += all) {
        const Index b = j * sizes.stride_x + v * sizes.dilation_x - sizes.padding_x;
        *to = a >= 0 && a < sizes.height && b >= 0 && b < sizes.width ? plane[a * sizes.width + b] : T{0};
      }
    }
  }
};

/// Its transpose: x[n, c, a, b] = the sum of the columns that lie there. A thread a place of x.
template <class T>
struct ColumnsToImages {
  ConvSizes sizes;
  const T* columns;
  T* x;
  BASIN_HOST_DEVICE static Index reaching(Index at, Index u, Index dilation, Index padding, Index stride,
                                          Index count) {
    const Index begin = at + padding - u * dilation;
    if (begin < 0) return -1;
    const Index which = begin / stride;
    return which * stride == begin && which < count ? which : -1;
  }
  BASIN_HOST_DEVICE void operator()(Index item) const {
    const Index plane = sizes.height * sizes.width, line = item / plane, at = item - line * plane;
    const Index n = line / sizes.channels, c = line - n * sizes.channels, a = at / sizes.width,
                b = at - a * sizes.width;
    const Index out = sizes.out(), all = sizes.images * out;
    const T* from = columns + c * sizes.filter_height * sizes.filter_width * all + n * out;
    T sum{0};
    for (Index u = 0; u < sizes.filter_height; ++u) {
      const Index i = reaching(a, u, sizes.dilation_y, sizes.padding_y, sizes.stride_y, sizes.out_height);
      for (Index v = 0; i >= 0 && v < sizes.filter_width; ++v) {
        const Index j = reaching(b, v, sizes.dilation_x, sizes.padding_x, sizes.stride_x, sizes.out_width);
        if (j >= 0) sum += from[(u * sizes.filter_width + v) * all + i * sizes.out_width + j];
      }
    }
    x[n * sizes.image_stride + c * plane + at] = sum;
  }
};

/// Exchanges images and channels of blocks of `inner` numbers; a thread a number of `to`:
///   to[a, b, i] = from[b, a, i], b < seconds, where from's b lie `from_stride` and to's a `to_stride` apart.
template <class T>
struct ExchangeAxes {
  const T* from;
  T* to;
  Index seconds, inner, from_stride, to_stride;
  BASIN_HOST_DEVICE void operator()(Index item) const {
    const Index line = item / inner, i = item - line * inner, a = line / seconds, b = line - a * seconds;
    to[a * to_stride + b * inner + i] = from[b * from_stride + a * inner + i];
  }
};

}  // namespace basin::cuda
