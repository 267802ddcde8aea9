#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// The shape with an extent of -1 worked out from the size.
Shape resolved(const Tensor& x, Shape shape) {
  const auto unknown = std::find(shape.begin(), shape.end(), Index{-1});
  if (unknown == shape.end()) {
    if (element_count(shape) == x.size()) return shape;
  } else {
    *unknown = 1;
    const Index known =
        std::find(shape.begin(), shape.end(), Index{-1}) == shape.end() ? element_count(shape) : 0;
    if (known > 0 && x.size() % known == 0) {
      *unknown = x.size() / known;
      return shape;
    }
    *unknown = -1;
  }
  throw Error(
      fmt::format("[reshape] expected a shape of {} elements like {}, received {}; one extent may be -1",
                  x.size(), to_string(x.shape()), to_string(shape)));
}

/// The shapes of all but one axis must agree.
void check_parts(const std::vector<Value>& parts, Index axis) {
  const Tensor& first = parts.front().tensor();
  for (const Value& part : parts) {
    const Tensor& tensor = raw::checked("concat", part);
    raw::check_placements("concat", first, tensor);
    bool fits = tensor.rank() == first.rank();
    for (Index i = 0; fits && i < first.rank(); ++i) fits = i == axis || tensor.dim(i) == first.dim(i);
    if (!fits) {
      throw Error(fmt::format("[concat] expected parts that differ along axis {} only, received {} and {}",
                              axis, to_string(first.shape()), to_string(tensor.shape())));
    }
  }
}

}  // namespace

Value reshape(const Value& x, Shape shape) {
  const Tensor& from = raw::checked("reshape", x);
  shape = resolved(from, std::move(shape));
  if (shape == from.shape()) return x;
  return Value::result(from.reshaped(std::move(shape)), {x},
                       [](std::size_t, const Value& gradient, const Values& inputs, const Value&) {
                         return reshape(gradient, inputs[0].shape());
                       });
}

Value flatten(const Value& x) {
  const Tensor& from = raw::checked("flatten", x);
  if (from.rank() == 0) {
    throw Error("[flatten] expected a batch [N, ...], received a scalar; give it a first axis of samples");
  }
  return reshape(x, {from.dim(0), element_count({from.shape().begin() + 1, from.shape().end()})});
}

Value transpose(const Value& x, const std::vector<Index>& order) {
  const Tensor& from = raw::checked("transpose", x);
  const Shape strides = raw::strides(from.shape());
  Shape shape, read;
  std::vector<Index> inverse(from.shape().size(), -1);
  for (std::size_t i = 0; i < order.size() && order.size() == inverse.size(); ++i) {
    const auto axis = static_cast<std::size_t>(raw::normal_axis("transpose", from, order[i]));
    inverse[axis] = static_cast<Index>(i);
    shape.push_back(from.shape()[axis]);
    read.push_back(strides[axis]);
  }
  if (order.size() != inverse.size() ||
      std::find(inverse.begin(), inverse.end(), Index{-1}) != inverse.end()) {
    throw Error(
        fmt::format("[transpose] expected every axis of {} once, received the order {}; name each axis",
                    to_string(from.shape()), to_string(order)));
  }
  return Value::result(raw::strided(from, 0, read, shape), {x},
                       [inverse](std::size_t, const Value& gradient, const Values&, const Value&) {
                         return transpose(gradient, inverse);
                       });
}

Value broadcast_to(const Value& x, const Shape& shape) {
  const Tensor& from = raw::checked("broadcast_to", x);
  if (from.shape() == shape) return x;
  if (raw::broadcast_shape("broadcast_to", from.shape(), shape) != shape) {
    throw Error(fmt::format(
        "[broadcast_to] expected a shape that {} broadcasts to, received {}; only extents of 1 stretch",
        to_string(from.shape()), to_string(shape)));
  }
  return Value::result(raw::broadcast(from, shape), {x},
                       [](std::size_t, const Value& gradient, const Values& inputs, const Value&) {
                         return sum_to(gradient, inputs[0].shape());
                       });
}

Value slice(const Value& x, Index axis, Index begin, Index end) {
  const Tensor& from = raw::checked("slice", x);
  axis = raw::normal_axis("slice", from, axis);
  if (begin < 0 || begin > end || end > from.dim(axis)) {
    throw Error(fmt::format("[slice] expected 0 <= begin <= end <= {} along axis {} of {}, received [{}, {})",
                            from.dim(axis), axis, to_string(from.shape()), begin, end));
  }
  const auto at = static_cast<std::size_t>(axis);
  const Shape strides = raw::strides(from.shape());
  Shape shape = from.shape();
  shape[at] = end - begin;
  Tensor part = axis == 0 ? from.rows(begin, end) : raw::strided(from, begin * strides[at], strides, shape);
  return Value::result(std::move(part), {x},
                       [axis, begin](std::size_t, const Value& gradient, const Values& inputs, const Value&) {
                         const auto zeros = [&](Index extent) {
                           Shape padding = gradient.shape();
                           padding[static_cast<std::size_t>(axis)] = extent;
                           return Value(Tensor::zeros(std::move(padding), gradient.placement()));
                         };
                         const Index behind = inputs[0].dim(axis) - begin - gradient.dim(axis);
                         return concat({zeros(begin), gradient, zeros(behind)}, axis);
                       });
}

Value concat(const std::vector<Value>& parts, Index axis) {
  if (parts.empty()) throw Error("[concat] expected at least one part, received none; check the list");
  axis = raw::normal_axis("concat", raw::checked("concat", parts.front()), axis);
  check_parts(parts, axis);
  std::vector<Tensor> tensors;
  for (const Value& part : parts) tensors.push_back(part.tensor());
  return Value::result(raw::concat(tensors, axis), parts,
                       [axis](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                         Index begin = 0;
                         for (std::size_t i = 0; i < index; ++i) begin += inputs[i].dim(axis);
                         return slice(gradient, axis, begin, begin + inputs[index].dim(axis));
                       });
}

Value zeros_like(const Value& x) {
  const Tensor& like = raw::checked("zeros_like", x);
  return Value(Tensor::zeros(like.shape(), like.placement()));
}

Value ones_like(const Value& x) {
  const Tensor& like = raw::checked("ones_like", x);
  return Value(Tensor::full(like.shape(), 1.0, like.placement()));
}

}  // namespace basin
