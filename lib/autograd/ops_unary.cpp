#include <cmath>
#include <numbers>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"

namespace basin {
namespace {

/// An op y = f(x) whose rule is gradient -> derivative(gradient, x, y).
template <class Derivative>
Value elementwise(const char* who, Unary op, const Value& x, Derivative derivative) {
  return Value::result(
      raw::unary(op, raw::checked(who, x)), {x},
      [derivative](std::size_t, const Value& gradient, const std::vector<Value>& inputs,
                   const Value& output) -> Value { return derivative(gradient, inputs[0], output); });
}

/// The rule of functions that are constant almost everywhere.
Value no_gradient(const Value&, const Value&, const Value&) { return {}; }

}  // namespace

Value operator-(const Value& x) {
  return elementwise("negate", Unary::Neg, x, [](const Value& g, const Value&, const Value&) { return -g; });
}

Value exp(const Value& x) {
  return elementwise("exp", Unary::Exp, x,
                     [](const Value& g, const Value&, const Value& y) { return g * y; });
}

Value log(const Value& x) {
  return elementwise("log", Unary::Log, x,
                     [](const Value& g, const Value& a, const Value&) { return g / a; });
}

Value log1p(const Value& x) {
  return elementwise("log1p", Unary::Log1p, x,
                     [](const Value& g, const Value& a, const Value&) { return g / (a + 1.0); });
}

Value sqrt(const Value& x) {
  return elementwise("sqrt", Unary::Sqrt, x,
                     [](const Value& g, const Value&, const Value& y) { return g / (y * 2.0); });
}

Value square(const Value& x) {
  return elementwise("square", Unary::Square, x,
                     [](const Value& g, const Value& a, const Value&) { return g * (a * 2.0); });
}

Value reciprocal(const Value& x) {
  return elementwise("reciprocal", Unary::Reciprocal, x,
                     [](const Value& g, const Value&, const Value& y) { return -(g * square(y)); });
}

Value abs(const Value& x) {
  return elementwise("abs", Unary::Abs, x,
                     [](const Value& g, const Value& a, const Value&) { return g * sign(a); });
}

Value sign(const Value& x) { return elementwise("sign", Unary::Sign, x, no_gradient); }

Value step(const Value& x) { return elementwise("step", Unary::Step, x, no_gradient); }

Value sigmoid(const Value& x) {
  return elementwise("sigmoid", Unary::Sigmoid, x,
                     [](const Value& g, const Value&, const Value& y) { return g * (y * (1.0 - y)); });
}

Value tanh(const Value& x) {
  return elementwise("tanh", Unary::Tanh, x,
                     [](const Value& g, const Value&, const Value& y) { return g * (1.0 - square(y)); });
}

Value softplus(const Value& x) {
  return elementwise("softplus", Unary::Softplus, x,
                     [](const Value& g, const Value& a, const Value&) { return g * sigmoid(a); });
}

Value relu(const Value& x) {
  return elementwise("relu", Unary::Relu, x,
                     [](const Value& g, const Value& a, const Value&) { return g * step(a); });
}

Value log_ndtr(const Value& x) {
  return elementwise("log_ndtr", Unary::LogNdtr, x,
                     [](const Value& g, const Value& a, const Value&) { return g * inverse_mills(a); });
}

Value ndtr(const Value& x) {
  return elementwise("ndtr", Unary::Ndtr, x, [](const Value& g, const Value& a, const Value&) {
    const double height = 1.0 / std::sqrt(2.0 * std::numbers::pi);
    return g * (height * exp(square(a) * -0.5));
  });
}

Value atan(const Value& x) {
  return elementwise("atan", Unary::Atan, x,
                     [](const Value& g, const Value& a, const Value&) { return g / (square(a) + 1.0); });
}

Value asinh(const Value& x) {
  return elementwise("asinh", Unary::Asinh, x,
                     [](const Value& g, const Value& a, const Value&) { return g / sqrt(square(a) + 1.0); });
}

Value elu(const Value& x) {
  // The slope is 1 for x >= 0, else e^x = y + 1: 1 - max(0, -y).
  return elementwise("elu", Unary::Elu, x,
                     [](const Value& g, const Value&, const Value& y) { return g * (1.0 - relu(-y)); });
}

Value inverse_mills(const Value& x) {
  // exp(-x^2/2 - log Phi(x)) subtracts two numbers of size x^2/2, so below the cut we use Laplace's continued
  // fraction phi(y) / Phi(-y) = y + 1/(y + 2/(y + 3/(y + ...))), whose terms are all positive. At y = 8, its
  // relative error is 7e-8 after 4 levels and 2e-15 after 12, and smaller beyond.
  constexpr double cut = -8.0;
  const Tensor& at = raw::checked("inverse_mills", x);
  const auto constant = [&](double value) { return Value(Tensor::full({}, value, at.placement())); };
  // Either formula is evaluated a little beyond the cut, so that the clamps' ties are never at points that
  // are used.
  const Value near = maximum(x, constant(cut - 1.0));
  const Value bulk = exp(square(near) * -0.5 - log_ndtr(near) - 0.5 * std::log(2.0 * std::numbers::pi));
  const Value y = -minimum(x, constant(cut + 1.0));
  Value tail = y;
  for (int level = at.dtype() == Dtype::F32 ? 4 : 12; level >= 1; --level) {
    tail = y + static_cast<double>(level) / tail;
  }
  const Value is_near = step(x - cut);
  return is_near * bulk + (1.0 - is_near) * tail;
}

}  // namespace basin
