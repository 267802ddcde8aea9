#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// Throws Error unless the indices are whole numbers in [0, count), one for each of `shape`.
void check_indices(const char* who, const Tensor& indices, const Shape& shape, Index count) {
  if (indices.shape() != shape) {
    throw Error(fmt::format("[{}] expected indices of shape {}, received {}; give one index a row", who,
                            to_string(shape), to_string(indices.shape())));
  }
  constexpr Index kWholeF32 = Index{1} << 24;  // beyond it f32 skips whole numbers
  if (indices.dtype() == Dtype::F32 && count > kWholeF32) {
    throw Error(
        fmt::format("[{}] expected at most {} classes in f32, received {}; use f64", who, kWholeF32, count));
  }
  const std::vector<double> values = indices.values();
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (values[row] >= 0.0 && values[row] < static_cast<double>(count) &&
        values[row] == std::floor(values[row]))
      continue;
    throw Error(
        fmt::format("[{}] expected indices that are whole numbers in 0 .. {}, received {} in row {}; "
                    "check the labels",
                    who, count - 1, values[row], row));
  }
}

Shape without_last(const Shape& shape) { return {shape.begin(), shape.end() - 1}; }

Value put_unchecked(const Value& x, const Tensor& indices, Index count);

Value take_unchecked(const Value& x, const Tensor& indices) {
  const Tensor& from = x.tensor();
  Tensor y(indices.shape(), from.placement());
  if (y.size() > 0)
    backend(from.device()).take(from.dtype(), from.data(), indices.data(), y.data(), y.size(), from.dim(-1));
  return Value::result(std::move(y), {x},
                       [indices](std::size_t, const Value& gradient, const Values& inputs, const Value&) {
                         return put_unchecked(gradient, indices, inputs[0].dim(-1));
                       });
}

Value put_unchecked(const Value& x, const Tensor& indices, Index count) {
  const Tensor& from = x.tensor();
  Shape shape = from.shape();
  shape.push_back(count);
  Tensor y(std::move(shape), from.placement());
  if (y.size() > 0)
    backend(from.device()).put(from.dtype(), from.data(), indices.data(), y.data(), from.size(), count);
  return Value::result(std::move(y), {x},
                       [indices](std::size_t, const Value& gradient, const Values&, const Value&) {
                         return take_unchecked(gradient, indices);
                       });
}

const Tensor& checked_rows(const char* who, const Value& x, const Tensor& indices) {
  const Tensor& from = raw::checked(who, x);
  if (from.rank() == 0) {
    throw Error(fmt::format("[{}] expected [.., K], received a scalar; give it a last axis of classes", who));
  }
  raw::checked(who, indices);
  raw::check_placements(who, from, indices);
  check_indices(who, indices, without_last(from.shape()), from.dim(-1));
  return from;
}

}  // namespace

Value take(const Value& x, const Tensor& indices) {
  checked_rows("take", x, indices);
  return take_unchecked(x, indices);
}

Value one_hot(const Tensor& indices, Index count) {
  raw::checked("one_hot", indices);
  check_indices("one_hot", indices, indices.shape(), count);
  return put_unchecked(Tensor::full(indices.shape(), 1.0, indices.placement()), indices, count);
}

Value categorical_cross_entropy(const Value& logits, const Tensor& indices) {
  checked_rows("categorical_cross_entropy", logits, indices);
  return log_sum_exp(logits, -1) - take_unchecked(logits, indices);
}

}  // namespace basin
