#include <fmt/format.h>

#include <memory>
#include <utility>

#include "autograd/node.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

Index product(Shape::const_iterator begin, Shape::const_iterator end) {
  return element_count(Shape(begin, end));
}

}  // namespace

Value stack(const std::vector<Value>& parts, Index axis) {
  if (parts.empty()) throw Error("[stack] expected at least one part, received none; check the list");
  const Tensor& first = raw::checked("stack", parts.front());
  const Index at = axis < 0 ? axis + first.rank() + 1 : axis;
  if (at < 0 || at > first.rank()) {
    throw Error(fmt::format("[stack] expected an axis between those of {}, 0 .. {}, received axis {}",
                            to_string(first.shape()), first.rank(), axis));
  }
  Shape flat = first.shape();
  flat.insert(flat.begin() + at, 1);
  std::vector<Tensor> tensors;
  tensors.reserve(parts.size());
  for (const Value& part : parts) {
    const Tensor& tensor = raw::checked("stack", part);
    raw::check_placements("stack", first, tensor);
    if (tensor.shape() != first.shape()) {
      throw Error(fmt::format("[stack] expected parts of one shape, received {} and {}; reshape one",
                              to_string(first.shape()), to_string(tensor.shape())));
    }
    tensors.push_back(tensor.reshaped(flat));
  }
  Value whole = Value::result(raw::concat(tensors, at), parts, {});
  if (whole.tracked()) {
    whole.node()->many = std::make_unique<Many>();
    whole.node()->many->all_rule = [at](const Value& gradient, const Values&) {
      return unstack(gradient, at);
    };
  }
  return whole;
}

std::vector<Value> unstack(const Value& x, Index axis) {
  const Tensor& from = raw::checked("unstack", x);
  axis = raw::normal_axis("unstack", from, axis);
  const Shape& shape = from.shape();
  const Index count = from.dim(axis), outer = product(shape.begin(), shape.begin() + axis),
              inner = product(shape.begin() + axis + 1, shape.end());
  Shape rest = shape;
  rest.erase(rest.begin() + axis);
  // With the axis first, every part is a view.
  const Tensor turned = outer == 1 ? from.reshaped({count, outer, inner})
                                   : raw::strided(from, 0, {inner, count * inner, 1}, {count, outer, inner});
  const Value whole = Value::result(
      from, {x}, [](std::size_t, const Value& gradient, const Values&, const Value&) { return gradient; });
  const auto mark = [&](const Value& value, Index part) {
    if (!value.tracked()) return;
    value.node()->many = std::make_unique<Many>();
    (part < 0 ? value.node()->many->axis : value.node()->many->part) = part < 0 ? axis : part;
  };
  mark(whole, -1);
  std::vector<Value> parts;
  parts.reserve(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    parts.push_back(Value::result(turned.rows(i, i + 1).reshaped(rest), {whole}, {}));
    mark(parts.back(), i);
  }
  return parts;
}

}  // namespace basin
