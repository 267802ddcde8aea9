#pragma once

#include <string_view>

#include "autograd/value.h"
#include "tensor/backend.h"

/// Kernels on tensors without history: what the ops of ops.h are made of. All results are new tensors unless
/// said otherwise; `who` is the op that error messages name.
namespace basin::raw {

/// The value's tensor. Throws Error "[who] expected a value, received an undefined one".
const Tensor& checked(std::string_view who, const Value& value);
/// Throws Error unless both live on one device in one precision.
void check_placements(std::string_view who, const Tensor& a, const Tensor& b);
/// `axis` in [0, rank), counted from the last when negative. Throws Error when there is no such axis.
Index normal_axis(std::string_view who, const Tensor& x, Index axis);

/// The shape two shapes broadcast to, as in NumPy. Throws Error when they do not fit.
Shape broadcast_shape(std::string_view who, const Shape& a, const Shape& b);
/// Element strides of a row-major tensor.
Shape strides(const Shape& shape);

Tensor unary(Unary op, const Tensor& x);
/// op(a, b) with broadcasting.
Tensor binary(std::string_view who, Binary op, const Tensor& a, const Tensor& b);
/// alpha * x.
Tensor scaled(const Tensor& x, double alpha);
/// Reduces the axes [begin, end), which disappear from the shape.
Tensor reduce(Reduction op, const Tensor& x, Index begin, Index end);
/// y[shape] = x read from element `offset` on with element strides.
Tensor strided(const Tensor& x, Index offset, const Shape& strides, const Shape& shape);
/// x stretched to a shape that it broadcasts to; x itself when it has that shape.
Tensor broadcast(const Tensor& x, const Shape& shape);
/// op(a) op(b) of two matrices that are known to fit, or of as many each, [B, .., ..].
Tensor gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);
/// The parts one after another along an axis; they are known to fit.
Tensor concat(const std::vector<Tensor>& parts, Index axis);

}  // namespace basin::raw
