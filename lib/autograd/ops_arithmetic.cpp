#include "autograd/ops.h"
#include "autograd/tensor_ops.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

Value result(const char* who, Binary op, const Value& a, const Value& b, Value::Rule rule) {
  return Value::result(raw::binary(who, op, raw::checked(who, a), raw::checked(who, b)), {a, b},
                       std::move(rule));
}

/// A number as a tensor that every shape stretches.
Tensor number(double value, const Tensor& like) { return Tensor::full({}, value, like.placement()); }

/// The weight of the larger of two: 1 where high > low, 1/2 where equal, else 0; a constant.
Value share(const Value& low, const Value& high) {
  const Tensor less = raw::binary("maximum", Binary::Less, low.tensor(), high.tensor());
  const Tensor less_equal = raw::binary("maximum", Binary::LessEqual, low.tensor(), high.tensor());
  return Value(raw::scaled(raw::binary("maximum", Binary::Add, less, less_equal), 0.5));
}

}  // namespace

Value operator+(const Value& a, const Value& b) {
  return result("add", Binary::Add, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                  return sum_to(gradient, inputs[index].shape());
                });
}

Value operator-(const Value& a, const Value& b) {
  return result("subtract", Binary::Sub, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                  const Value own = sum_to(gradient, inputs[index].shape());
                  return index == 0 ? own : -own;
                });
}

Value operator*(const Value& a, const Value& b) {
  return result("multiply", Binary::Mul, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                  return sum_to(gradient * inputs[1 - index], inputs[index].shape());
                });
}

Value operator/(const Value& a, const Value& b) {
  return result("divide", Binary::Div, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value& output) {
                  if (index == 0) return sum_to(gradient / inputs[1], inputs[0].shape());
                  return -sum_to(gradient * output / inputs[1], inputs[1].shape());
                });
}

Value operator+(const Value& a, double b) {
  const Tensor& x = raw::checked("add", a);
  return Value::result(
      raw::binary("add", Binary::Add, x, number(b, x)), {a},
      [](std::size_t, const Value& gradient, const Values&, const Value&) { return gradient; });
}

Value operator+(double a, const Value& b) { return b + a; }

Value operator-(const Value& a, double b) {
  const Tensor& x = raw::checked("subtract", a);
  return Value::result(
      raw::binary("subtract", Binary::Sub, x, number(b, x)), {a},
      [](std::size_t, const Value& gradient, const Values&, const Value&) { return gradient; });
}

Value operator-(double a, const Value& b) {
  const Tensor& x = raw::checked("subtract", b);
  return Value::result(
      raw::binary("subtract", Binary::Sub, number(a, x), x), {b},
      [](std::size_t, const Value& gradient, const Values&, const Value&) { return -gradient; });
}

Value operator*(const Value& a, double b) {
  return Value::result(
      raw::scaled(raw::checked("multiply", a), b), {a},
      [b](std::size_t, const Value& gradient, const Values&, const Value&) { return gradient * b; });
}

Value operator*(double a, const Value& b) { return b * a; }

Value operator/(const Value& a, double b) {
  const Tensor& x = raw::checked("divide", a);
  return Value::result(
      raw::binary("divide", Binary::Div, x, number(b, x)), {a},
      [b](std::size_t, const Value& gradient, const Values&, const Value&) { return gradient / b; });
}

Value operator/(double a, const Value& b) {
  const Tensor& x = raw::checked("divide", b);
  return Value::result(raw::binary("divide", Binary::Div, number(a, x), x), {b},
                       [](std::size_t, const Value& gradient, const Values& inputs, const Value& output) {
                         return -(gradient * output / inputs[0]);
                       });
}

Value maximum(const Value& a, const Value& b) {
  return result("maximum", Binary::Max, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                  return sum_to(gradient * share(inputs[1 - index], inputs[index]), inputs[index].shape());
                });
}

Value shrink(const Value& x, const Value& threshold) {
  return result("shrink", Binary::Shrink, x, threshold,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value& output) {
                  const Value slope =
                      sign(output);  // where x passes it moves with x, and against the threshold by its sign
                  return index == 0 ? sum_to(gradient * square(slope), inputs[0].shape())
                                    : -sum_to(gradient * slope, inputs[1].shape());
                });
}

Value minimum(const Value& a, const Value& b) {
  return result("minimum", Binary::Min, a, b,
                [](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                  return sum_to(gradient * share(inputs[index], inputs[1 - index]), inputs[index].shape());
                });
}

}  // namespace basin
