#include <fmt/format.h>

#include <memory>

#include "autograd/fused.h"
#include "autograd/node.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// A shape that stretches over [N, C, ...].
Shape per_channel(const Value& x) {
  Shape shape(static_cast<std::size_t>(x.rank() - 1), 1);
  shape[0] = x.dim(1);
  return shape;
}

/// By the ops: (gradient in x, gradient in bias).
Values derived(Unary function, const Value& gradient, const Values& inputs) {
  const Value a = inputs[0] + reshape(inputs[1], per_channel(inputs[0]));
  Value slope;
  if (function == Unary::Relu) slope = step(a);
  if (function == Unary::Tanh) slope = 1.0 - square(tanh(a));
  if (function == Unary::Sigmoid) slope = sigmoid(a) * (1.0 - sigmoid(a));
  const Value z = gradient * slope;
  return {z, reshape(sum_to(z, per_channel(inputs[0])), inputs[1].shape())};
}

template <class Call>
void fill_extents(Call& call, Unary function, const Tensor& x) {
  call.dtype = x.dtype();
  call.function = function;
  call.outer = x.dim(0);
  call.channels = x.dim(1);
  call.inner = element_count({x.shape().begin() + 2, x.shape().end()});
}

}  // namespace

Value biased(Unary function, const Value& x, const Value& bias) {
  const Tensor &from = raw::checked("biased", x), &numbers = raw::checked("biased", bias);
  raw::check_placements("biased", from, numbers);
  if (from.rank() < 2 || numbers.shape() != Shape{from.dim(1)} ||
      (function != Unary::Relu && function != Unary::Tanh && function != Unary::Sigmoid)) {
    throw Error(fmt::format(
        "[biased] expected [N, C, ...], a bias [C] and relu, tanh or sigmoid, received {} and {}; "
        "write other functions by the ops",
        to_string(from.shape()), to_string(numbers.shape())));
  }
  Tensor y(from.shape(), from.placement());
  if (y.size() > 0) {
    BiasedCall call;
    fill_extents(call, function, from);
    call.x = from.data();
    call.bias = numbers.data();
    call.y = y.data();
    backend(from.device()).biased(call);
  }
  Value result = Value::result(y, {x, bias}, {});
  if (!result.tracked()) return result;
  result.node()->many = std::make_unique<Many>();
  result.node()->many->all_rule = [function, y](const Value& gradient, const Values& inputs) -> Values {
    const bool again = gradient.tracked() || inputs[0].tracked() || inputs[1].tracked();
    if (again || y.size() == 0) return derived(function, gradient, inputs);
    const Tensor z(y.shape(), y.placement()), sums(inputs[1].shape(), y.placement());
    BiasedGradientCall call;
    fill_extents(call, function, y);
    call.y = y.data();
    call.gradient = gradient.tensor().data();
    call.x = z.data();
    call.bias = sums.data();
    backend(y.device()).biased_gradient(call);
    return {z, sums};
  };
  return result;
}

}  // namespace basin
