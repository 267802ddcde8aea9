#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "tensor/cpu/strides.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/kernels/elementwise.h"
#include "tensor/cuda/kernels/walk.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/transpose.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// Calls body(walk, offsets, at, n) for launches that cover a walk: one, unless it has more axes than a
/// launch can hold; then one for each place of the slowest axes, whose offsets the inputs and the output
/// begin at.
template <int Inputs, class Body>
void for_walks(const Walk<static_cast<std::size_t>(Inputs)>& walk, const Body& body) {
  if (walk.total == 0) return;
  const std::size_t axes = walk.extents.size(), outer = axes > kAxes ? axes - kAxes : 0;
  StridedWalk<Inputs> inside;
  Index n = 1, launches = 1;
  for (std::size_t axis = 0; axis < axes; ++axis) (axis < outer ? launches : n) *= walk.extents[axis];
  for (std::size_t axis = outer; axis < axes; ++axis) {
    inside.extents[inside.axes] = walk.extents[axis];
    for (int i = 0; i < Inputs; ++i)
      inside.strides[i][inside.axes] = walk.strides[static_cast<std::size_t>(i)][axis];
    ++inside.axes;
  }
  for (Index which = 0; which < launches; ++which) {
    std::array<Index, Inputs> offsets{};
    Index rest = which;
    for (std::size_t axis = outer; axis-- > 0; rest /= walk.extents[axis]) {
      for (std::size_t i = 0; i < Inputs; ++i)
        offsets[i] += rest % walk.extents[axis] * walk.strides[i][axis];
    }
    body(inside, offsets, which * n, n);
  }
}

bool is_flat(Index stride) { return stride == 0 || stride == 1; }

template <class T, class F>
void launch_binary(Runtime& runtime, const Walk<2>& walk, const T* a, const T* b, T* y) {
  const Index stride_a = walk.strides[0].back(), stride_b = walk.strides[1].back();
  if (walk.extents.size() == 1 && is_flat(stride_a) && is_flat(stride_b)) {
    launch(runtime, "binary", packs_of<T>(walk.total),
           FlatBinary<T, F>(a, stride_a, b, stride_b, y, walk.total, F{}));
    return;
  }
  for_walks<2>(walk, [&](const StridedWalk<2>& inside, const auto& offsets, Index at, Index n) {
    launch(runtime, "binary", n, StridedBinary<T, F>{a + offsets[0], b + offsets[1], y + at, inside, F{}});
  });
}

/// Whether a walk exchanges its last two axes, planes by planes: x is contiguous along the last axis but one.
std::optional<Transposition> transposition_of(const Walk<1>& walk) {
  const std::size_t axes = walk.extents.size();
  const Shape& strides = walk.strides[0];
  if (axes < 2 || axes > 3 || strides[axes - 2] != 1 || strides[axes - 1] <= 1) return std::nullopt;
  const bool has_planes = axes == 3;
  return Transposition{has_planes ? walk.extents[0] : 1, walk.extents[axes - 2], walk.extents[axes - 1],
                       strides[axes - 1], has_planes ? strides[0] : 0};
}

constexpr int kBinaries = static_cast<int>(Binary::Shrink) + 1;

template <class T, int... kOps>
void choose_binary(Runtime& runtime, Binary op, const Walk<2>& walk, const T* a, const T* b, T* y,
                   std::integer_sequence<int, kOps...>) {
  const auto run = [&]<int kOp>(std::integral_constant<int, kOp>) {
    if (op == static_cast<Binary>(kOp))
      launch_binary<T, BinaryFunction<static_cast<Binary>(kOp)>>(runtime, walk, a, b, y);
  };
  (run(std::integral_constant<int, kOps>()), ...);
}

}  // namespace

void CudaBackend::binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
                         const Shape& strides_b, void* y, const Shape& shape) {
  const Walk<2> walk(shape, {&strides_a, &strides_b});
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    choose_binary(runtime_, op, walk, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(y),
                  std::make_integer_sequence<int, kBinaries>());
  });
}

void CudaBackend::strided_copy(Dtype dtype, const void* x, const Shape& strides, void* y,
                               const Shape& shape) {
  const Walk<1> walk(shape, {&strides});
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    if (const auto exchange = transposition_of(walk))
      return launch_transposition(runtime_, *exchange, from, to);
    for_walks<1>(walk, [&](const StridedWalk<1>& inside, const auto& offsets, Index at, Index n) {
      launch(runtime_, "strided_copy", n, StridedCopy<T>{from + offsets[0], to + at, inside});
    });
  });
}

}  // namespace basin
