#include <fmt/format.h>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// The shape that a reduction over the axes leaves, with extents of 1.
Shape kept_shape(const char* who, const Tensor& x, const std::vector<Index>& axes) {
  if (axes.empty()) return Shape(x.shape().size(), 1);
  Shape shape = x.shape();
  for (const Index axis : axes) shape[static_cast<std::size_t>(raw::normal_axis(who, x, axis))] = 1;
  return shape;
}

/// Drops the reduced axes from a result that kept them.
Value squeezed(const char* who, const Value& kept, const Tensor& x, const std::vector<Index>& axes) {
  if (axes.empty()) return reshape(kept, {});
  std::vector<bool> reduced(x.shape().size(), false);
  for (const Index axis : axes) reduced[static_cast<std::size_t>(raw::normal_axis(who, x, axis))] = true;
  Shape shape;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) shape.push_back(x.shape()[i]);
  }
  return reshape(kept, std::move(shape));
}

/// A reduction over one axis that leaves an extent of 1.
Tensor reduce_keeping(const char* who, Reduction op, const Tensor& x, Index axis) {
  Shape shape = kept_shape(who, x, {axis});
  const Index at = raw::normal_axis(who, x, axis);
  if (x.dim(at) == 0 && op != Reduction::Sum) {
    throw Error(
        fmt::format("[{}] expected at least one element along axis {}, received shape {}; skip empty batches",
                    who, axis, to_string(x.shape())));
  }
  return raw::reduce(op, x, at, at + 1).reshaped(std::move(shape));
}

/// x - log sum exp x along the last axis. The maximum goes first: of large numbers, the logarithm would keep
/// few digits.
Tensor log_normalised(const char* who, const Tensor& x) {
  const Tensor shifted = raw::binary(who, Binary::Sub, x, reduce_keeping(who, Reduction::Max, x, -1));
  return raw::binary(who, Binary::Sub, shifted, reduce_keeping(who, Reduction::LogSumExp, shifted, -1));
}

}  // namespace

Value sum_to(const Value& x, const Shape& shape) {
  const Tensor& from = raw::checked("sum_to", x);
  if (from.shape() == shape) return x;
  if (raw::broadcast_shape("sum_to", from.shape(), shape) != from.shape()) {
    throw Error(fmt::format(
        "[sum_to] expected a shape that broadcasts to {}, received {}; extents must be equal or 1",
        to_string(from.shape()), to_string(shape)));
  }
  // From the last axis to the first, every run of neighbours that go is reduced in one call.
  const Index missing = from.rank() - static_cast<Index>(shape.size());
  const auto goes = [&](Index axis) {
    return axis < missing || (shape[static_cast<std::size_t>(axis - missing)] == 1 && from.dim(axis) != 1);
  };
  Tensor sums = from;
  for (Index end = from.rank(); end > 0;) {
    Index begin = end - 1;
    if (goes(begin)) {
      while (begin > 0 && goes(begin - 1)) --begin;
      sums = raw::reduce(Reduction::Sum, sums, begin, end);
    }
    end = begin;
  }
  return Value::result(sums.reshaped(shape), {x},
                       [](std::size_t, const Value& gradient, const Values& inputs, const Value&) {
                         return broadcast_to(gradient, inputs[0].shape());
                       });
}

Value sum(const Value& x, const std::vector<Index>& axes, ReduceOptions options) {
  const Tensor& from = raw::checked("sum", x);
  const Value kept = sum_to(x, kept_shape("sum", from, axes));
  return options.keep ? kept : squeezed("sum", kept, from, axes);
}

Value mean(const Value& x, const std::vector<Index>& axes, ReduceOptions options) {
  const Tensor& from = raw::checked("mean", x);
  const Index kept = element_count(kept_shape("mean", from, axes));
  if (from.size() == 0) {
    throw Error(fmt::format("[mean] expected at least one element, received shape {}; skip empty batches",
                            to_string(from.shape())));
  }
  return sum(x, axes, options) * (static_cast<double>(kept) / static_cast<double>(from.size()));
}

Value max(const Value& x, Index axis, ReduceOptions options) {
  const Tensor& from = raw::checked("max", x);
  const Value kept = Value::result(
      reduce_keeping("max", Reduction::Max, from, axis), {x},
      [axis](std::size_t, const Value& gradient, const Values& inputs, const Value& output) {
        const Tensor ties = raw::binary("max", Binary::Equal, inputs[0].tensor(), output.tensor());
        const Tensor count = reduce_keeping("max", Reduction::Sum, ties, axis);
        return gradient * Value(raw::binary("max", Binary::Div, ties, count));
      });
  return options.keep ? kept : squeezed("max", kept, from, {axis});
}

Value log_sum_exp(const Value& x, Index axis, ReduceOptions options) {
  const Tensor& from = raw::checked("log_sum_exp", x);
  const Value kept = Value::result(reduce_keeping("log_sum_exp", Reduction::LogSumExp, from, axis), {x},
                                   [](std::size_t, const Value& gradient, const Values& inputs,
                                      const Value& output) { return gradient * exp(inputs[0] - output); });
  return options.keep ? kept : squeezed("log_sum_exp", kept, from, {axis});
}

Value largest(const Value& x, Index count) {
  const Tensor& from = raw::checked("largest", x);
  const Index columns = from.rank() > 0 ? from.dim(-1) : 0;
  if (from.rank() == 0 || count < 0 || count > columns) {
    throw Error(fmt::format("[largest] expected 0 <= count <= {} along the last axis of {}, received {}",
                            columns, to_string(from.shape()), count));
  }
  Tensor mask(from.shape(), from.placement());
  if (mask.size() > 0) {
    backend(from.device())
        .largest(from.dtype(), from.data(), mask.data(), from.size() / columns, columns, count);
  }
  return Value(std::move(mask));
}

Value sum_per_sample(const Value& x) {
  const Tensor& from = raw::checked("sum_per_sample", x);
  if (from.rank() == 0) {
    throw Error(
        "[sum_per_sample] expected a batch [N, ...], received a scalar; give it a first axis of samples");
  }
  if (from.rank() == 1) return x;
  std::vector<Index> axes;
  for (Index axis = 1; axis < from.rank(); ++axis) axes.push_back(axis);
  return sum(x, axes);
}

Value softmax(const Value& x) {
  const Tensor log_p = log_normalised("softmax", raw::checked("softmax", x));
  return Value::result(raw::unary(Unary::Exp, log_p), {x},
                       [](std::size_t, const Value& gradient, const Values&, const Value& output) {
                         return output * (gradient - sum(gradient * output, {-1}, {.keep = true}));
                       });
}

Value log_softmax(const Value& x) {
  return Value::result(log_normalised("log_softmax", raw::checked("log_softmax", x)), {x},
                       [](std::size_t, const Value& gradient, const Values&, const Value& output) {
                         return gradient - exp(output) * sum(gradient, {-1}, {.keep = true});
                       });
}

}  // namespace basin
