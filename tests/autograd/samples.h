#pragma once

#include <span>
#include <utility>

#include "autograd/ops.h"
#include "support/device.h"
#include "tensor/random.h"

namespace basin::test {

using Values = std::vector<Value>;

/// Standard normals in f64 on the test's device.
inline Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(11).fold(stream), std::move(shape), f64());
}

/// Numbers in [0.5, 1.5), for functions of positive numbers.
inline Tensor positive(Shape shape, std::uint64_t stream = 0) {
  return (Value(uniform(Key(12).fold(stream), std::move(shape), f64())) + 0.5).tensor();
}

/// Given numbers.
inline Tensor numbers(const std::vector<double>& values, Shape shape, Placement placement = f64()) {
  return Tensor::from(std::span<const double>(values), std::move(shape), placement);
}

inline std::vector<double> host(const Value& value) { return value.tensor().values(); }

}  // namespace basin::test
