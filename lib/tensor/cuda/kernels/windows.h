#pragma once

#include "tensor/backend.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// Windows over planes as WindowCall has them; what of a window lies outside of the plane is passed over.
template <class T>
struct Windows {
  const T* x;
  T* y;
  T* index;
  Index height, width, window_height, window_width, padding_y, padding_x, stride_y, stride_x, out_height,
      out_width;

  explicit Windows(const WindowCall& call)
      : x(static_cast<const T*>(call.x)),
        y(static_cast<T*>(call.y)),
        index(static_cast<T*>(call.index)),
        height(call.height),
        width(call.width),
        window_height(call.window_height),
        window_width(call.window_width),
        padding_y(call.padding_y),
        padding_x(call.padding_x),
        stride_y(call.stride_y),
        stride_x(call.stride_x),
        out_height(call.out_height()),
        out_width(call.out_width()) {}

  /// An output of windows: its plane, and where its window begins.
  struct Window {
    Index plane, row, column;
  };
  BASIN_HOST_DEVICE Window window(Index i) const {
    const Index line = i / out_width, plane = line / out_height;
    return {plane, (line - plane * out_height) * stride_y - padding_y,
            (i - line * out_width) * stride_x - padding_x};
  }
  BASIN_HOST_DEVICE bool holds(Index a, Index b) const { return a >= 0 && a < height && b >= 0 && b < width; }

  /// A place of a plane, and the rows and columns of windows that may hold it.
  struct Place {
    Index plane, a, b;
  };
  BASIN_HOST_DEVICE Place place(Index i) const {
    const Index line = i / width, plane = line / height;
    return {plane, line - plane * height, i - line * width};
  }
  /// The window along one axis that has `at` at its place u; -1 where there is none.
  BASIN_HOST_DEVICE static Index reaching(Index at, Index u, Index padding, Index stride, Index count) {
    const Index begin = at + padding - u;
    if (begin < 0) return -1;
    const Index which = begin / stride;
    return which * stride == begin && which < count ? which : -1;
  }
};

template <class T>
struct WindowSum : Windows<T> {
  using Windows<T>::Windows;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const auto window = this->window(i);
    const T* plane = this->x + window.plane * this->height * this->width;
    T sum{0};
    for (Index u = 0; u < this->window_height; ++u) {
      for (Index v = 0; v < this->window_width; ++v) {
        const Index a = window.row + u, b = window.column + v;
        if (this->holds(a, b)) sum += plane[a * this->width + b];
      }
    }
    this->y[i] = sum;
  }
};

template <class T>
struct WindowMax : Windows<T> {
  using Windows<T>::Windows;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const auto window = this->window(i);
    const T* plane = this->x + window.plane * this->height * this->width;
    Index place = -1;
    T best{0};
    for (Index u = 0; u < this->window_height; ++u) {
      for (Index v = 0; v < this->window_width; ++v) {
        const Index a = window.row + u, b = window.column + v;
        if (!this->holds(a, b)) continue;
        const T here = plane[a * this->width + b];
        if (place < 0 || here > best || (here != here && best == best)) {
          best = here;
          place = a * this->width + b;
        }
      }
    }
    this->y[i] = best;
    this->index[i] = static_cast<T>(place);
  }
};

template <class T>
struct WindowSpread : Windows<T> {
  using Windows<T>::Windows;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const auto place = this->place(i);
    const T* plane = this->x + place.plane * this->out_height * this->out_width;
    T sum{0};
    for (Index u = 0; u < this->window_height; ++u) {
      const Index row = this->reaching(place.a, u, this->padding_y, this->stride_y, this->out_height);
      if (row < 0) continue;
      for (Index v = 0; v < this->window_width; ++v) {
        const Index column = this->reaching(place.b, v, this->padding_x, this->stride_x, this->out_width);
        if (column >= 0) sum += plane[row * this->out_width + column];
      }
    }
    this->y[i] = sum;
  }
};

/// All places of one window: neighbouring threads write neighbours.
template <class T>
struct WindowUnfold : Windows<T> {
  using Windows<T>::Windows;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const auto window = this->window(i);
    const Index out = this->out_height * this->out_width;
    const T* plane = this->x + window.plane * this->height * this->width;
    T* to =
        this->y + window.plane * this->window_height * this->window_width * out + (i - window.plane * out);
    for (Index u = 0; u < this->window_height; ++u) {
      for (Index v = 0; v < this->window_width; ++v, to += out) {
        const Index a = window.row + u, b = window.column + v;
        *to = this->holds(a, b) ? plane[a * this->width + b] : T{0};
      }
    }
  }
};

template <class T>
struct WindowFold : Windows<T> {
  using Windows<T>::Windows;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const auto place = this->place(i);
    const Index out = this->out_height * this->out_width;
    const T* from = this->x + place.plane * this->window_height * this->window_width * out;
    T sum{0};
    for (Index u = 0; u < this->window_height; ++u) {
      const Index row = this->reaching(place.a, u, this->padding_y, this->stride_y, this->out_height);
      for (Index v = 0; row >= 0 && v < this->window_width; ++v) {
        const Index column = this->reaching(place.b, v, this->padding_x, this->stride_x, this->out_width);
        if (column >= 0) sum += from[(u * this->window_width + v) * out + row * this->out_width + column];
      }
    }
    this->y[i] = sum;
  }
};

}  // namespace basin::cuda
