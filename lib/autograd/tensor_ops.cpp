#include "autograd/tensor_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "tensor/error.h"

namespace basin::raw {
namespace {

Index product(Shape::const_iterator begin, Shape::const_iterator end) {
  return std::accumulate(begin, end, Index{1}, std::multiplies<Index>());
}

/// Strides that read a tensor of shape `from` as if it had the shape `to`: 0 along every stretched axis.
Shape broadcast_strides(const Shape& from, const Shape& to) {
  const Shape own = strides(from);
  const std::size_t missing = to.size() - from.size();
  Shape result(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    result[missing + i] = from[i] == 1 ? 0 : own[i];
  }
  return result;
}

}  // namespace

const Tensor& checked(std::string_view who, const Value& value) {
  if (!value.defined() || !value.tensor().defined()) {
    throw Error(fmt::format("[{}] expected a value, received an undefined one; assign it before use", who));
  }
  return value.tensor();
}

void check_placements(std::string_view who, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    throw Error(
        fmt::format("[{}] expected arguments of one dtype, received {} and {}; convert one with Tensor::to",
                    who, to_string(a.dtype()), to_string(b.dtype())));
  }
  if (a.device() != b.device()) {
    throw Error(
        fmt::format("[{}] expected arguments on one device, received {} and {}; move one with Tensor::to",
                    who, to_string(a.device()), to_string(b.device())));
  }
}

Index normal_axis(std::string_view who, const Tensor& x, Index axis) {
  const Index found = axis < 0 ? axis + x.rank() : axis;
  if (found < 0 || found >= x.rank()) {
    throw Error(fmt::format(
        "[{}] expected an axis of shape {}, received axis {}; axes count from 0, or from the last as -1", who,
        to_string(x.shape()), axis));
  }
  return found;
}

Shape broadcast_shape(std::string_view who, const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (std::size_t i = 1; i <= rank; ++i) {
    const Index left = i <= a.size() ? a[a.size() - i] : 1;
    const Index right = i <= b.size() ? b[b.size() - i] : 1;
    if (left != right && left != 1 && right != 1) {
      throw Error(
          fmt::format("[{}] expected shapes that broadcast, received {} and {}; aligned at the last axis, "
                      "extents must be equal or 1",
                      who, to_string(a), to_string(b)));
    }
    result[rank - i] = left == 1 ? right : left;
  }
  return result;
}

Shape strides(const Shape& shape) {
  Shape result(shape.size(), 1);
  for (std::size_t i = shape.size(); i > 1; --i) {
    result[i - 2] = result[i - 1] * shape[i - 1];
  }
  return result;
}

Tensor unary(Unary op, const Tensor& x) {
  Tensor y(x.shape(), x.placement());
  if (y.size() > 0) backend(x.device()).unary(op, x.dtype(), x.data(), y.data(), x.size());
  return y;
}

Tensor binary(std::string_view who, Binary op, const Tensor& a, const Tensor& b) {
  check_placements(who, a, b);
  const Shape shape = a.shape() == b.shape() ? a.shape() : broadcast_shape(who, a.shape(), b.shape());
  Tensor y(shape, a.placement());
  if (y.size() > 0) {
    const Shape strides_a = broadcast_strides(a.shape(), shape),
                strides_b = broadcast_strides(b.shape(), shape);
    backend(a.device()).binary(op, a.dtype(), a.data(), strides_a, b.data(), strides_b, y.data(), shape);
  }
  return y;
}

Tensor scaled(const Tensor& x, double alpha) {
  Tensor y(x.shape(), x.placement());
  if (y.size() > 0) backend(x.device()).axpby(x.dtype(), alpha, x.data(), 0.0, y.data(), x.size());
  return y;
}

Tensor reduce(Reduction op, const Tensor& x, Index begin, Index end) {
  const Shape& shape = x.shape();
  const auto first = shape.begin() + begin, last = shape.begin() + end;
  Shape kept(shape.begin(), first);
  kept.insert(kept.end(), last, shape.end());
  Tensor y(std::move(kept), x.placement());
  if (y.size() > 0) {
    const Index outer = product(shape.begin(), first), middle = product(first, last),
                inner = product(last, shape.end());
    if (middle == 0) {
      y.fill(0.0);  // only sums come here: the others refuse an empty axis
    } else {
      backend(x.device()).reduce(op, x.dtype(), x.data(), y.data(), outer, middle, inner);
    }
  }
  return y;
}

Tensor strided(const Tensor& x, Index offset, const Shape& strides, const Shape& shape) {
  Tensor y(shape, x.placement());
  if (y.size() > 0) {
    const auto* start =
        static_cast<const std::byte*>(x.data()) + static_cast<std::size_t>(offset) * byte_size(x.dtype());
    backend(x.device()).strided_copy(x.dtype(), start, strides, y.data(), shape);
  }
  return y;
}

Tensor broadcast(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : strided(x, 0, broadcast_strides(x.shape(), shape), shape);
}

Tensor gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  GemmCall call;
  call.dtype = a.dtype();
  call.transpose_a = transpose_a;
  call.transpose_b = transpose_b;
  call.m = a.dim(transpose_a ? -1 : -2);
  call.k = a.dim(transpose_a ? -2 : -1);
  call.n = b.dim(transpose_b ? -2 : -1);
  Shape shape{call.m, call.n};
  if (a.rank() == 3) {
    call.batch = a.dim(0);
    call.stride_a = call.m * call.k;
    call.stride_b = call.k * call.n;
    call.stride_c = call.m * call.n;
    shape.insert(shape.begin(), call.batch);
  }
  Tensor c(std::move(shape), a.placement());
  if (call.k == 0) {
    c.fill(0.0);
  } else if (c.size() > 0) {
    call.a = a.data();
    call.lda = a.dim(-1);
    call.b = b.data();
    call.ldb = b.dim(-1);
    call.c = c.data();
    call.ldc = call.n;
    backend(a.device()).gemm(call);
  }
  return c;
}

Tensor concat(const std::vector<Tensor>& parts, Index axis) {
  const Shape& like = parts.front().shape();
  const auto at = static_cast<std::size_t>(axis);
  const Index outer = product(like.begin(), like.begin() + axis),
              inner = product(like.begin() + axis + 1, like.end());
  Index extent = 0;
  for (const Tensor& part : parts) extent += part.shape()[at];
  Shape shape = like;
  shape[at] = extent;

  // Kernels write contiguously only, so the parts are gathered with the axis first, and the whole is turned
  // afterwards.
  const Tensor gathered({extent, outer, inner}, parts.front().placement());
  Index begin = 0;
  for (const Tensor& part : parts) {
    const Index count = part.shape()[at];
    if (part.size() > 0) {
      const Shape turned{inner, count * inner, 1};
      backend(part.device())
          .strided_copy(part.dtype(), part.data(), turned, gathered.rows(begin, begin + count).data(),
                        {count, outer, inner});
    }
    begin += count;
  }
  if (outer == 1) return gathered.reshaped(std::move(shape));
  return strided(gathered, 0, {inner, outer * inner, 1}, {outer, extent, inner}).reshaped(std::move(shape));
}

}  // namespace basin::raw
