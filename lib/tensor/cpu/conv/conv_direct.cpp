#include "tensor/cpu/conv/conv_direct.h"

#include <algorithm>

#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

/// Outputs [begin, end) along one axis that meet x at filter place u: begin at `first` + stride * output.
struct Meeting {
  Index begin, end, first;
  Meeting(Index u, Index padding, Index stride, Index dilation, Index extent, Index count)
      : first(u * dilation - padding) {
    begin = std::min(count, first >= 0 ? 0 : (-first + stride - 1) / stride);
    end = std::clamp((extent - 1 - first) < 0 ? 0 : (extent - 1 - first) / stride + 1, begin, count);
  }
};

/// The arrays of one call, by planes.
template <class T>
struct Arrays {
  const ConvCall& call;
  const Index in_group = call.in_channels / call.groups, out_group = call.out_channels / call.groups;
  const Index out_height = call.out_height(), out_width = call.out_width();

  template <class A>
  A* x_plane(A* x, Index image, Index channel) const {
    return x + (image * call.in_channels + channel) * call.height * call.width;
  }
  template <class A>
  A* y_plane(A* y, Index image, Index channel) const {
    return y + (image * call.out_channels + channel) * out_height * out_width;
  }
  /// Of the c-th input of output k's group.
  Index filter(Index k, Index c) const { return (k * in_group + c) * call.filter_height * call.filter_width; }
  /// body(place in the filter, row of x at its first column, row of y at its first column, columns).
  template <class X, class Y, class Body>
  void rows(X* x, Y* y, const Body& body) const {
    for (Index u = 0; u < call.filter_height; ++u) {
      const Meeting i(u, call.padding_y, call.stride_y, call.dilation_y, call.height, out_height);
      for (Index v = 0; v < call.filter_width; ++v) {
        const Meeting j(v, call.padding_x, call.stride_x, call.dilation_x, call.width, out_width);
        for (Index row = i.begin; row < i.end; ++row)
          body(u * call.filter_width + v,
               x + (i.first + row * call.stride_y) * call.width + j.first + j.begin * call.stride_x,
               y + row * out_width + j.begin, j.end - j.begin);
      }
    }
  }
  Index cost() const { return out_height * out_width * call.filter_height * call.filter_width; }
};

template <class T>
void output(const ConvCall& call, const T* x, const T* w, T* y) {
  const Arrays<T> arrays{call};
  const Index stride = call.stride_x;
  parallel_ranges(call.images * call.out_channels, arrays.cost() * arrays.in_group, 1, [&](Index b, Index e) {
    for (Index item = b; item < e; ++item) {
      const Index image = item / call.out_channels, k = item % call.out_channels;
      T* plane = arrays.y_plane(y, image, k);
      std::fill_n(plane, arrays.out_height * arrays.out_width, T{0});
      for (Index c = 0; c < arrays.in_group; ++c) {
        const T* weights = w + arrays.filter(k, c);
        arrays.rows(arrays.x_plane(x, image, k / arrays.out_group * arrays.in_group + c), plane,
                    [&](Index place, const T* from, T* to, Index n) {
                      const T weight = weights[place];
                      for (Index j = 0; j < n; ++j) to[j] += weight * from[j * stride];
                    });
      }
    }
  });
}

template <class T>
void input(const ConvCall& call, T* x, const T* w, const T* y) {
  const Arrays<T> arrays{call};
  const Index stride = call.stride_x;
  parallel_ranges(call.images * call.in_channels, arrays.cost() * arrays.out_group, 1, [&](Index b, Index e) {
    for (Index item = b; item < e; ++item) {
      const Index image = item / call.in_channels, channel = item % call.in_channels;
      const Index group = channel / arrays.in_group;
      T* plane = arrays.x_plane(x, image, channel);
      std::fill_n(plane, call.height * call.width, T{0});
      for (Index k = group * arrays.out_group; k < (group + 1) * arrays.out_group; ++k) {
        const T* weights = w + arrays.filter(k, channel % arrays.in_group);
        arrays.rows(plane, arrays.y_plane(y, image, k), [&](Index place, T* to, const T* from, Index n) {
          const T weight = weights[place];
          for (Index j = 0; j < n; ++j) to[j * stride] += weight * from[j];
        });
      }
    }
  });
}

template <class T>
void filter(const ConvCall& call, const T* x, T* w, const T* y) {
  const Arrays<T> arrays{call};
  const Index stride = call.stride_x, area = call.filter_height * call.filter_width;
  parallel_ranges(call.out_channels * arrays.in_group, arrays.cost() * call.images, 1, [&](Index b, Index e) {
    for (Index item = b; item < e; ++item) {
      const Index k = item / arrays.in_group, c = item % arrays.in_group;
      T* weights = w + arrays.filter(k, c);
      for (Index place = 0; place < area; ++place) {
        // One filter place at a time, so that its sum stays in a register.
        const Meeting i(place / call.filter_width, call.padding_y, call.stride_y, call.dilation_y,
                        call.height, arrays.out_height);
        const Meeting j(place % call.filter_width, call.padding_x, call.stride_x, call.dilation_x, call.width,
                        arrays.out_width);
        double sum = 0.0;
        for (Index image = 0; image < call.images; ++image) {
          const T* from = arrays.x_plane(x, image, k / arrays.out_group * arrays.in_group + c);
          const T* with = arrays.y_plane(y, image, k);
          for (Index row = i.begin; row < i.end; ++row) {
            const T* a = from + (i.first + row * call.stride_y) * call.width + j.first;
            const T* g = with + row * arrays.out_width;
            for (Index column = j.begin; column < j.end; ++column)
              sum += static_cast<double>(a[column * stride]) * static_cast<double>(g[column]);
          }
        }
        weights[place] = static_cast<T>(sum);
      }
    }
  });
}

template <class T>
void direct_as(const ConvCall& call) {
  const auto *x = static_cast<const T*>(call.x), *w = static_cast<const T*>(call.w),
             *y = static_cast<const T*>(call.y);
  auto* result = static_cast<T*>(call.result);
  if (call.product == ConvProduct::Output) output(call, x, w, result);
  if (call.product == ConvProduct::Input) input(call, result, w, y);
  if (call.product == ConvProduct::Filter) filter(call, x, result, y);
}

}  // namespace

void conv_direct(const ConvCall& call) {
  if (call.dtype == Dtype::F32) direct_as<float>(call);
  if (call.dtype == Dtype::F64) direct_as<double>(call);
}

}  // namespace basin
