#include <algorithm>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

/// The outputs [begin, end) along one axis whose windows' place `at` lies inside of the extent.
struct Inside {
  Index begin, end;
  Inside(Index at, Index padding, Index stride, Index extent, Index count) {
    const Index first = padding - at;  // where output 0 would have to begin to reach place 0
    begin = std::min(count, first <= 0 ? 0 : (first + stride - 1) / stride);
    const Index last = extent - 1 + first;  // the same for the last place
    end = last < 0 ? begin : std::max(begin, std::min(count, last / stride + 1));
  }
};

/// Calls row(plane row, window row, i) and so on for every row of places that a plane and its windows share:
/// body(u, v, i, a, columns, b0): outputs `columns` of row i, at place (u, v) of their windows, lie in row a
/// of the plane at columns b0 + j stride_x for j from columns.begin on.
template <class Body>
void for_each_row(const WindowCall& call, const Body& body) {
  const Index out_height = call.out_height(), out_width = call.out_width();
  for (Index u = 0; u < call.window_height; ++u) {
    const Inside rows(u, call.padding_y, call.stride_y, call.height, out_height);
    for (Index v = 0; v < call.window_width; ++v) {
      const Inside columns(v, call.padding_x, call.stride_x, call.width, out_width);
      for (Index i = rows.begin; i < rows.end; ++i)
        body(u, v, i, i * call.stride_y + u - call.padding_y, columns, v - call.padding_x);
    }
  }
}

/// y[p] and what it is made of, plane by plane.
template <class T, class Body>
void for_each_plane(const WindowCall& call, const Body& body) {
  const Index from = call.x_size() / call.planes, to = call.y_size() / call.planes;
  parallel_ranges(call.planes, std::max(from, to), 1, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      body(static_cast<const T*>(call.x) + p * from, static_cast<T*>(call.y) + p * to, p);
  });
}

/// Windows of 2 x 2 side by side, the most usual: they need no bounds, and vectors hold several.
bool is_two_by_two(const WindowCall& call) {
  return call.window_height == 2 && call.window_width == 2 && call.stride_y == 2 && call.stride_x == 2 &&
         call.padding_y == 0 && call.padding_x == 0;
}

template <class T>
void sum_rows(const T* above, const T* below, T* y, Index n) {
#pragma omp simd
  for (Index j = 0; j < n; ++j) y[j] = above[2 * j] + above[2 * j + 1] + below[2 * j] + below[2 * j + 1];
}

template <class T>
void spread_row(const T* x, T* above, T* below, Index n) {
#pragma omp simd
  for (Index j = 0; j < n; ++j) above[2 * j] = above[2 * j + 1] = x[j];
  std::copy_n(above, 2 * n, below);
}

/// `first` is the place of above[0], `width` that of below[0] beyond it.
template <class T>
void largest_rows(const T* above, const T* below, T first, T width, T* y, T* index, Index n) {
#pragma omp simd
  for (Index j = 0; j < n; ++j) {
    T best = above[2 * j], place = first + static_cast<T>(2 * static_cast<int>(j));
    const T corner = place;
    const auto meet = [&](T here, T at) {
      const bool wins = (here > best) | ((here != here) & (best == best));
      best = wins ? here : best;
      place = wins ? at : place;
    };
    meet(above[2 * j + 1], corner + T{1});
    meet(below[2 * j], corner + width);
    meet(below[2 * j + 1], corner + width + T{1});
    y[j] = best;
    index[j] = place;
  }
}

template <class T>
void sum(const WindowCall& call) {
  const Index out_width = call.out_width(), out = call.out_height() * out_width, stride = call.stride_x;
  const bool simple = is_two_by_two(call);
  for_each_plane<T>(call, [&](const T* x, T* y, Index) {
    for (Index i = 0; simple && i < out / out_width; ++i)
      sum_rows(x + 2 * i * call.width, x + (2 * i + 1) * call.width, y + i * out_width, out_width);
    if (simple) return;
    std::fill_n(y, out, T{0});
    for_each_row(call, [&](Index, Index, Index i, Index a, const Inside& columns, Index b) {
      const T* from = x + a * call.width + b;
      T* to = y + i * out_width;
      for (Index j = columns.begin; j < columns.end; ++j) to[j] += from[j * stride];
    });
  });
}

template <class T>
void spread(const WindowCall& call) {
  const Index out_width = call.out_width(), plane = call.height * call.width, stride = call.stride_x;
  const bool covered = is_two_by_two(call) && call.height % 2 == 0 && call.width % 2 == 0;
  for_each_plane<T>(call, [&](const T* x, T* y, Index) {
    for (Index i = 0; covered && i < call.height / 2; ++i)
      spread_row(x + i * out_width, y + 2 * i * call.width, y + (2 * i + 1) * call.width, out_width);
    if (covered) return;
    std::fill_n(y, plane, T{0});
    for_each_row(call, [&](Index, Index, Index i, Index a, const Inside& columns, Index b) {
      const T* from = x + i * out_width;
      T* to = y + a * call.width + b;
      for (Index j = columns.begin; j < columns.end; ++j) to[j * stride] += from[j];
    });
  });
}

template <class T>
void largest(const WindowCall& call) {
  const Index out_height = call.out_height(), out_width = call.out_width();
  const bool simple = is_two_by_two(call);
  for_each_plane<T>(call, [&](const T* x, T* y, Index p) {
    T* index = static_cast<T*>(call.index) + p * out_height * out_width;
    for (Index i = 0; simple && i < out_height; ++i) {
      const Index row = 2 * i * call.width;
      largest_rows(x + row, x + row + call.width, static_cast<T>(row), static_cast<T>(call.width),
                   y + i * out_width, index + i * out_width, out_width);
    }
    if (simple) return;
    for (Index i = 0; i < out_height; ++i) {
      const Index a0 = std::max<Index>(0, i * call.stride_y - call.padding_y),
                  a1 = std::min(call.height, i * call.stride_y - call.padding_y + call.window_height);
      for (Index j = 0; j < out_width; ++j) {
        const Index b0 = std::max<Index>(0, j * call.stride_x - call.padding_x),
                    b1 = std::min(call.width, j * call.stride_x - call.padding_x + call.window_width);
        Index place = a0 * call.width + b0;
        T best = x[place];
        for (Index a = a0; a < a1; ++a) {
          for (Index b = b0; b < b1; ++b) {
            const T here = x[a * call.width + b];
            if (here > best || (here != here && best == best)) {
              best = here;
              place = a * call.width + b;
            }
          }
        }
        y[i * out_width + j] = best;
        index[i * out_width + j] = static_cast<T>(place);
      }
    }
  });
}

template <class T>
void unfold(const WindowCall& call) {
  const Index out_width = call.out_width(), out = call.out_height() * out_width, stride = call.stride_x;
  for_each_plane<T>(call, [&](const T* x, T* y, Index) {
    std::fill_n(y, call.window_height * call.window_width * out, T{0});
    for_each_row(call, [&](Index u, Index v, Index i, Index a, const Inside& columns, Index b) {
      const T* from = x + a * call.width + b;
      T* to = y + (u * call.window_width + v) * out + i * out_width;
      for (Index j = columns.begin; j < columns.end; ++j) to[j] = from[j * stride];
    });
  });
}

template <class T>
void fold(const WindowCall& call) {
  const Index out_width = call.out_width(), out = call.out_height() * out_width, stride = call.stride_x;
  for_each_plane<T>(call, [&](const T* x, T* y, Index) {
    std::fill_n(y, call.height * call.width, T{0});
    for_each_row(call, [&](Index u, Index v, Index i, Index a, const Inside& columns, Index b) {
      const T* from = x + (u * call.window_width + v) * out + i * out_width;
      T* to = y + a * call.width + b;
      for (Index j = columns.begin; j < columns.end; ++j) to[j * stride] += from[j];
    });
  });
}

template <class T>
void windows_as(const WindowCall& call) {
  switch (call.product) {
    case WindowProduct::Sum:
      return sum<T>(call);
    case WindowProduct::Spread:
      return spread<T>(call);
    case WindowProduct::Max:
      return largest<T>(call);
    case WindowProduct::Unfold:
      return unfold<T>(call);
    case WindowProduct::Fold:
      return fold<T>(call);
  }
}

}  // namespace

void CpuBackend::windows(const WindowCall& call) {
  if (call.planes == 0) return;
  if (call.dtype == Dtype::F32) windows_as<float>(call);
  if (call.dtype == Dtype::F64) windows_as<double>(call);
}

}  // namespace basin
