#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradcheck.h"
#include "modules/module.h"
#include "support/device.h"
#include "tensor/random.h"

namespace basin::test {

inline Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(23).fold(stream), std::move(shape), f64());
}

inline Tensor numbers(const std::vector<double>& values, Shape shape) {
  return Tensor::from(std::span<const double>(values), std::move(shape), f64());
}

inline std::vector<double> host(const Value& value) { return value.tensor().values(); }

/// Both orders of derivative by the input and by every trained parameter, at random points.
inline std::string check(const Module& module, const Tensor& input, const Context& context = {}) {
  std::vector<Value> leaves{Value::leaf(input)};
  for (Parameter parameter : module.parameters()) {
    if (!parameter.is_trained()) {
      parameter.to(f64());
      continue;
    }
    parameter.set(random(parameter.value().shape(), leaves.size()));
    leaves.push_back(parameter.value());
  }
  return gradcheck([&] { return module.forward(leaves[0], context); }, leaves);
}

}  // namespace basin::test
