#include "tensor/flags.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels.h"
#include "tensor/error.h"
#include "tensor/guard/guard_backend.h"

namespace basin::test {
namespace {

using Raised = std::vector<Index>;

/// A tensor of ones but for one number in it.
Tensor ones_but(double number, Index at, Index n, Placement where) {
  std::vector<double> values(static_cast<std::size_t>(n), 1.0);
  if (n > 0) values[static_cast<std::size_t>(at)] = number;
  return Tensor::from(values, {n}, where);
}

bool fails(Check what, const Tensor& x) {
  Flags flags(1);
  flags.check(0, what, x);
  return !flags.raised().empty();
}

TEST(Flags, FindTheOneNumberThatFails) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Index n : {1, 2, 17, 1000, 100001}) {
      for (const Index at : {Index{0}, n / 2, n - 1}) {
        for (const double number : {std::nan(""), kInfinity, -kInfinity}) {
          EXPECT_TRUE(fails(Check::Finite, ones_but(number, at, n, where)))
              << n << " " << at << " " << number;
          EXPECT_EQ(fails(Check::Positive, ones_but(number, at, n, where)), !(number > 0.0)) << number;
        }
        for (const double number : {0.0, -0.0, -1.0, 1e30, 1e-40}) {
          EXPECT_FALSE(fails(Check::Finite, ones_but(number, at, n, where))) << number;
          EXPECT_EQ(fails(Check::Positive, ones_but(number, at, n, where)), !(number > 0.0)) << number;
        }
      }
    }
    EXPECT_FALSE(fails(Check::Finite, Tensor({0}, where)));
    // What would make a sum overflow is on its way to infinity, too.
    const double most = where == f32() ? static_cast<double>(std::numeric_limits<float>::max())
                                       : std::numeric_limits<double>::max();
    EXPECT_FALSE(fails(Check::Finite, Tensor::full({100}, most / 101, where)));
    EXPECT_TRUE(fails(Check::Finite, Tensor::full({100}, most / 99, where)));
    EXPECT_FALSE(fails(Check::Finite, Tensor::full({1}, most, where)));
  }
}

TEST(Flags, TellTensorsApartInOneDownload) {
  const Placement guard{Dtype::F32, Device::Guard};
  Flags flags(4);
  const GuardWork before = guard_work();
  flags.check(0, Check::Finite, ones_but(std::nan(""), 3, 9, guard));
  flags.check(1, Check::Finite, ones_but(2.0, 3, 9, guard));
  flags.check(2, Check::Positive, ones_but(-2.0, 3, 9, {Dtype::F64, Device::Guard}));
  EXPECT_EQ(guard_work().downloads, before.downloads);
  EXPECT_EQ(flags.raised(), (Raised{0, 2}));
  EXPECT_EQ(guard_work().downloads, before.downloads + 1);
  // A flag stays up, and tensors may live elsewhere.
  flags.check(0, Check::Finite, ones_but(2.0, 3, 9, guard));
  flags.check(3, Check::Finite, ones_but(kInfinity, 3, 9, {Dtype::F64, Device::Cpu}));
  EXPECT_EQ(flags.raised(), (Raised{0, 2, 3}));
  EXPECT_THROW(flags.check(4, Check::Finite, ones_but(2.0, 3, 9, guard)), Error);
  EXPECT_EQ(Flags(2).raised(), Raised{});
}

}  // namespace
}  // namespace basin::test
