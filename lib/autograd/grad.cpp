#include "autograd/grad.h"

#include <fmt/format.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

void check_like(const char* who, const char* what, const Value& given, const Value& value) {
  const Tensor& tensor = raw::checked(who, given);
  if (tensor.shape() != value.shape()) {
    throw Error(
        fmt::format("[{}] expected a {} of shape {}, received {}; give it the shape of what it multiplies",
                    who, what, to_string(value.shape()), to_string(tensor.shape())));
  }
  raw::check_placements(who, value.tensor(), tensor);
}

void check_scalar(const char* who, const Value& output) {
  const Tensor& tensor = raw::checked(who, output);
  if (tensor.size() != 1) {
    throw Error(
        fmt::format("[{}] expected a scalar output, received shape {}; reduce it with sum(), or use "
                    "vector_jacobian_product",
                    who, to_string(tensor.shape())));
  }
}

}  // namespace

std::vector<Value> grad(const Value& output, const std::vector<Value>& wrt, GradOptions options) {
  check_scalar("grad", output);
  return backward("grad", {output}, {ones_like(output)}, wrt, options);
}

std::vector<Value> vector_jacobian_product(const Value& output, const Value& cotangent,
                                           const std::vector<Value>& wrt, GradOptions options) {
  constexpr const char* who = "vector_jacobian_product";
  raw::checked(who, output);
  check_like(who, "cotangent", cotangent, output);
  return backward(who, {output}, {cotangent}, wrt, options);
}

std::vector<Value> hessian_vector_product(const Value& output, const std::vector<Value>& wrt,
                                          const std::vector<Value>& directions, GradOptions options) {
  constexpr const char* who = "hessian_vector_product";
  check_scalar(who, output);
  if (directions.size() != wrt.size()) {
    throw Error(fmt::format(
        "[{}] expected one direction for each of {} values, received {}; give zeros where nothing moves", who,
        wrt.size(), directions.size()));
  }
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    raw::checked(who, wrt[i]);
    check_like(who, "direction", directions[i], wrt[i]);
  }
  const std::vector<Value> gradients =
      backward(who, {output}, {ones_like(output)}, wrt, {.differentiable = true});
  return backward(who, gradients, directions, wrt, options);
}

}  // namespace basin
