#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "support/device.h"
#include "support/numbers.h"
#include "tensor/backend.h"
#include "tensor/tensor.h"
#include "tensor/threads.h"

namespace basin::test {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The kernels of the device under test.
inline Backend& kernels() { return backend(device()); }

/// A tensor of numbers in [-1, 1).
inline Tensor tensor(Shape shape, std::uint64_t seed, Placement where) {
  const std::vector<double> values = numbers(element_count(shape), seed);
  return Tensor::from(values, std::move(shape), where);
}

/// `body` on one thread and on three: both must give the same bits. Returns them.
template <class Body>
std::vector<double> on_any_threads(const Body& body) {
  const int before = thread_count();
  set_thread_count(1);
  const std::vector<double> one = body();
  set_thread_count(3);
  const std::vector<double> three = body();
  set_thread_count(before);
  const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };  // NaN equals itself here
  EXPECT_TRUE(std::equal(one.begin(), one.end(), three.begin(), three.end(), [&](double a, double b) {
    return bits(a) == bits(b);
  })) << "the result depends on the number of threads";
  return one;
}

}  // namespace basin::test
