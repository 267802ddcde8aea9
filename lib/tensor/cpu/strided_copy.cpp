#include <algorithm>
#include <optional>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/strides.h"

namespace basin {
namespace {

/// Side of the square that a transposition moves at a time: reads and writes of one square stay in the L1
/// cache.
constexpr Index kTile = 32;

template <class T>
void run(const T* x, Index stride, T* y, Index n) {
  if (stride == 1) {
    std::copy_n(x, n, y);
  } else if (stride == 0) {
    std::fill_n(y, n, *x);
  } else {
    for (Index i = 0; i < n; ++i) y[i] = x[i * stride];
  }
}

/// The axis along which x is contiguous although y is not: the copy is then a transposition of it and the
/// last axis.
std::optional<std::size_t> transposed_axis(const Walk<1>& walk) {
  const Shape& strides = walk.strides[0];
  if (strides.back() == 1 || strides.back() == 0) return std::nullopt;
  for (std::size_t axis = 0; axis + 1 < strides.size(); ++axis) {
    if (strides[axis] == 1) return axis;
  }
  return std::nullopt;
}

/// y = x with `axis` and the last axis exchanged, in squares. Each item is a band of kTile places along
/// `axis`.
template <class T>
void transpose(const T* x, T* y, const Walk<1>& walk, std::size_t axis) {
  const Shape& strides = walk.strides[0];
  const Index long_side = walk.extents[axis], last = walk.extents.back(), stride = strides.back();
  Index step = 1;  // y's stride along `axis`
  for (std::size_t i = axis + 1; i < walk.extents.size(); ++i) step *= walk.extents[i];
  // The planes: every index but those of `axis` and the last axis.
  const Index planes = walk.total / (long_side * last);
  const Index bands = (long_side + kTile - 1) / kTile;
  parallel_ranges(planes * bands, kTile * last, 1, [&](Index begin, Index end) {
    for (Index item = begin; item < end; ++item) {
      Index from = 0, to = 0, rest = item / bands, scale = last;
      for (std::size_t i = walk.extents.size() - 1; i-- > 0;) {
        if (i != axis) {
          from += rest % walk.extents[i] * strides[i];
          to += rest % walk.extents[i] * scale;
          rest /= walk.extents[i];
        }
        scale *= walk.extents[i];
      }
      const Index first = item % bands * kTile, stop = std::min(long_side, first + kTile);
      for (Index left = 0; left < last; left += kTile) {
        const Index right = std::min(last, left + kTile);
        for (Index i = first; i < stop; ++i) {
          const T* column = x + from + i;
          T* row = y + to + i * step;
#pragma omp simd
          for (Index j = left; j < right; ++j) row[j] = column[j * stride];
        }
      }
    }
  });
}

template <class T>
void copy_as(const void* x, const Shape& strides, void* y, const Shape& shape) {
  const Walk<1> walk(shape, {&strides});
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  if (walk.total == 0) return;
  if (const auto axis = transposed_axis(walk)) return transpose(from, to, walk, *axis);
  const Index stride = walk.strides[0].back();
  parallel_ranges(walk.total, 1, 16, [&](Index begin, Index end) {
    walk.runs(begin, end, [=](const auto& offsets, Index at, Index count) {
      run(from + offsets[0], stride, to + at, count);
    });
  });
}

}  // namespace

void CpuBackend::strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y, const Shape& shape) {
  if (dtype == Dtype::F32) {
    copy_as<float>(x, strides, y, shape);
  } else {
    copy_as<double>(x, strides, y, shape);
  }
}

}  // namespace basin
