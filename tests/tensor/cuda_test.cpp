// The kernels for GPUs against the CPU's: on a GPU where there is one (--device cuda), else in emulation.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "support/numbers.h"
#include "tensor/backend.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/error.h"
#include "tensor/tensor.h"

namespace basin::test {
namespace {

Device gpu() { return device() == Device::Cuda ? Device::Cuda : Device::CudaEmulated; }

/// A number for every order of magnitude of f32 and both signs, around the places where functions change
/// over, and what is no number.
std::vector<double> all_kinds_of_numbers() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> x{0.0,   -0.0,   kInfinity,      -kInfinity,  std::nan(""),
                        1e-45, -1e-45, 1.17549435e-38, 3.4028235e38};
  for (int exponent = -140; exponent < 128; ++exponent) {
    for (const double mantissa : {1.0, 1.3, 1.9999}) {
      for (const double sign : {-1.0, 1.0}) x.push_back(sign * std::ldexp(mantissa, exponent));
    }
  }
  for (int i = -1000; i <= 1000; ++i) x.push_back(i * 0.1047);
  return x;
}

std::vector<double> on(Device where, Dtype dtype, const std::vector<double>& x,
                       const std::function<void(Backend&, const Tensor&, const Tensor&)>& kernel) {
  const Tensor from = Tensor::from(x, {static_cast<Index>(x.size())}, {dtype, where});
  const Tensor to = Tensor::full(from.shape(), 0.25, from.placement());
  kernel(backend(where), from, to);
  return to.values();
}

/// Numbers of both devices: equal where the tolerance is 0, else that far apart at most, beside 1 or relative
/// to them.
void expect_same(const std::vector<double>& cpu, const std::vector<double>& own, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(cpu.size(), own.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    if (std::isnan(cpu[i]) && std::isnan(own[i])) continue;
    if (cpu[i] == own[i]) {
      ASSERT_EQ(std::signbit(cpu[i]), std::signbit(own[i])) << what << ", number " << i;
      continue;
    }
    ASSERT_LE(std::abs(cpu[i] - own[i]), tolerance * std::max(1.0, std::abs(cpu[i])))
        << what << ", number " << i;
  }
}

/// Once for the emulation and once a GPU: the guard device adds nothing, and the emulated one is that of the
/// first run.
class CudaParity : public testing::Test {
  void SetUp() override {
    if (is_guarded()) GTEST_SKIP() << "runs without --device";
  }
};

TEST_F(CudaParity, FunctionsOfOneNumberHaveTheBitsOfTheCpuInF32) {
  const std::vector<double> x = all_kinds_of_numbers();
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    for (int op = 0; op <= static_cast<int>(Unary::Elu); ++op) {
      const auto run = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
        kernels.unary(static_cast<Unary>(op), dtype, from.data(), to.data(), from.size());
      };
      // In f64 both have a library's functions; Ndtr and LogNdtr round a few products on their way.
      const bool exact = dtype == Dtype::F32 && static_cast<Unary>(op) != Unary::LogNdtr;
      expect_same(on(Device::Cpu, dtype, x, run), on(gpu(), dtype, x, run),
                  exact                 ? 0.0
                  : dtype == Dtype::F32 ? 2e-7
                                        : 1e-14,
                  "function " + std::to_string(op) + " in " + to_string(dtype));
    }
  }
}

TEST_F(CudaParity, FunctionsOfTwoNumbers) {
  const std::vector<double> x = all_kinds_of_numbers();
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    for (int op = 0; op <= static_cast<int>(Binary::Shrink); ++op) {
      for (const Index shift : {0, 1}) {  // also from addresses that packs cannot be read at
        const auto run = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
          const Index n = from.size() - shift;
          kernels.binary(static_cast<Binary>(op), dtype, from.rows(shift, n + shift).data(), {1}, from.data(),
                         {1}, to.data(), {n});
        };
        const bool exact = static_cast<Binary>(op) != Binary::Pow;
        expect_same(on(Device::Cpu, dtype, x, run), on(gpu(), dtype, x, run),
                    exact                 ? 0.0
                    : dtype == Dtype::F32 ? 1e-6
                                          : 1e-14,
                    "function " + std::to_string(op) + " in " + to_string(dtype));
      }
    }
  }
}

TEST_F(CudaParity, DrawsHaveTheBitsOfTheCpu) {
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{6}, (std::uint64_t{1} << 34) + 3}) {
      for (const std::size_t n : {std::size_t{1}, std::size_t{3}, std::size_t{20001}}) {
        const std::vector<double> p(n, 0.37);
        const auto run = [&](int kind) {
          return [=](Backend& kernels, const Tensor& from, const Tensor& to) {
            if (kind == 0) kernels.uniform(dtype, 77, first, to.data(), to.size());
            if (kind == 1) kernels.normal(dtype, 77, first, to.data(), to.size());
            if (kind == 2) kernels.bernoulli(dtype, 77, first, from.data(), to.data(), to.size());
          };
        };
        for (int kind = 0; kind < 3; ++kind) {
          const double tolerance = kind == 1 && dtype == Dtype::F64 ? 1e-14 : 0.0;
          expect_same(on(Device::Cpu, dtype, p, run(kind)), on(gpu(), dtype, p, run(kind)), tolerance,
                      "draws of kind " + std::to_string(kind));
        }
      }
    }
  }
}

struct UnitsCase {
  Unit unit;
  double tolerance_f32;  // 0: the CPU's bits, of draws too
};

/// Means and then samples of a layer, draws from an odd place on.
std::vector<double> run_units(Device where, Dtype dtype, Unit unit) {
  constexpr Index kRows = 23, kUnits = 66;
  const Placement placement{dtype, where};
  const auto input = [&](Shape shape, std::uint64_t seed, double scale, double offset) {
    std::vector<double> values = numbers(element_count(shape), seed);
    for (double& value : values) value = scale * value + offset;
    return Tensor::from(values, std::move(shape), placement);
  };
  const Tensor x = input({kRows, kUnits}, 1, 5.0, 0.0), bias = input({kUnits}, 2, 1.0, 0.0),
               base = input({kUnits}, 3, 1.0, 0.0), precision = input({kUnits}, 4, 0.5, 1.0),
               scales = input({kRows}, 5, 0.5, 0.5);
  const Tensor both = Tensor::zeros({2 * kRows, kUnits}, placement);
  UnitCall call{.dtype = dtype,
                .unit = unit,
                .rows = kRows,
                .units = kUnits,
                .group = unit == Unit::Categorical ? 6 : 1};
  call.input = x.data();
  call.bias = bias.data();
  call.base = base.data();
  call.row_scales = scales.data();
  call.precision = precision.data();
  call.key = 31;
  call.first_draw = 5;
  call.mean = both.data();
  call.sample = both.rows(kRows, 2 * kRows).data();
  backend(where).units(call);
  return both.values();
}

TEST_F(CudaParity, UnitsHaveTheMeansAndDrawsOfTheCpu) {
  for (const UnitsCase& each : {UnitsCase{Unit::Binary, 0.0}, UnitsCase{Unit::Gaussian, 0.0},
                                UnitsCase{Unit::NonNegative, 1e-6}, UnitsCase{Unit::Categorical, 1e-6}}) {
    for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
      expect_same(run_units(Device::Cpu, dtype, each.unit), run_units(gpu(), dtype, each.unit),
                  dtype == Dtype::F32 ? each.tolerance_f32 : 1e-12,
                  "unit " + std::to_string(static_cast<int>(each.unit)));
    }
  }
}

TEST_F(CudaParity, LongReductionsAreCutIntoParts) {
  struct Extents {
    Index outer, middle, inner;
  };
  for (const Extents& e : {Extents{1, 100003, 1}, Extents{3, 20000, 1}, Extents{513, 4100, 1},
                           Extents{1, 5000, 37}, Extents{2, 40, 8200}}) {
    const std::vector<double> some = numbers(10007, 9);
    std::vector<double> x(static_cast<std::size_t>(e.outer * e.middle * e.inner));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = some[i % some.size()];
    for (const Reduction op : {Reduction::Sum, Reduction::Max, Reduction::LogSumExp}) {
      const auto run = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
        kernels.reduce(op, Dtype::F64, from.data(), to.data(), e.outer, e.middle, e.inner);
      };
      expect_same(on(Device::Cpu, Dtype::F64, x, run), on(gpu(), Dtype::F64, x, run), 1e-11,
                  to_string(Shape{e.outer, e.middle, e.inner}));
    }
  }
}

TEST_F(CudaParity, SelectionsAmongEqualsAndAcrossSigns) {
  std::vector<double> x(40 * 300);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::floor(5.0 * numbers(1, i)[0]);
  x[7] = -0.0;
  x[11] = std::nan("");
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    for (const Index count : {0, 1, 2, 77, 299, 300}) {
      const auto run = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
        kernels.largest(dtype, from.data(), to.data(), 40, 300, count);
      };
      expect_same(on(Device::Cpu, dtype, x, run), on(gpu(), dtype, x, run), 0.0,
                  std::to_string(count) + " largest");
    }
  }
}

TEST_F(CudaParity, WalksOfMoreAxesThanALaunchHolds) {
  const Shape shape(9, 2);  // strides that no two axes can be joined with
  Shape strides(9);
  for (std::size_t axis = 0; axis < 9; ++axis) strides[axis] = Index{1} << ((axis * 4) % 9);
  const auto copy = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
    kernels.strided_copy(Dtype::F32, from.data(), strides, to.data(), shape);
  };
  const auto add = [&](Backend& kernels, const Tensor& from, const Tensor& to) {
    kernels.binary(Binary::Add, Dtype::F32, from.data(), strides, from.data(),
                   Shape{0, 1, 0, 2, 0, 4, 0, 8, 16}, to.data(), shape);
  };
  const std::vector<double> x = numbers(512, 3);
  expect_same(on(Device::Cpu, Dtype::F32, x, copy), on(gpu(), Dtype::F32, x, copy), 0.0, "copy");
  expect_same(on(Device::Cpu, Dtype::F32, x, add), on(gpu(), Dtype::F32, x, add), 0.0, "add");
}

TEST_F(CudaParity, ScattersWithFewColumnsAndWithMany) {
  for (const Index inner : {3, 5000}) {
    const std::vector<double> index{4, 0, 4, 2, 2, 4}, x = numbers(6 * inner, 8);
    std::vector<std::vector<double>> results;
    for (const Device where : {Device::Cpu, gpu()}) {
      const Tensor places = Tensor::from(index, {6}, {Dtype::F32, where}),
                   from = Tensor::from(x, {6, inner}, places.placement());
      const Tensor to = Tensor::full({5, inner}, 7.0, places.placement());
      backend(where).scatter({.outer = 1,
                              .middle = 5,
                              .inner = inner,
                              .count = 6,
                              .index = places.data(),
                              .x = from.data(),
                              .y = to.data()});
      results.push_back(to.values());
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

/// The pool of the emulated device, whose memory is the host's.
TEST(CudaMemory, IsKeptAndCounted) {
  CudaBackend kernels{CudaOptions{}};
  void* first = kernels.allocate(1000);
  EXPECT_EQ(kernels.memory().used, 1024U);
  kernels.release(first, 1000);
  EXPECT_EQ(kernels.memory().used, 0U);
  EXPECT_EQ(kernels.memory().reserved, 1024U);
  EXPECT_EQ(kernels.allocate(1020), first) << "a block of its class was there";
  void* second = kernels.allocate(600000);
  EXPECT_EQ(kernels.memory().used, 1024U + 655360U);  // eighths of 2^19
  kernels.release(second, 600000);
  kernels.release(first, 1020);
  EXPECT_EQ(kernels.memory().used, 0U);
  EXPECT_EQ(kernels.memory().peak, 1024U + 655360U);
}

TEST(CudaMemory, LosesAnEighthAtMost) {
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 40); bytes = bytes * 9 / 8 + 1) {
    const std::size_t size = cuda::MemoryPool::class_of(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_LE(size, std::max(bytes + 512, bytes + bytes / 8)) << bytes;
    EXPECT_EQ(cuda::MemoryPool::class_of(size), size);
  }
}

TEST(CudaMemory, WhatIsKeptGoesBackBeforeARequestIsRefused) {
  CudaBackend kernels{CudaOptions{}};
  kernels.release(kernels.allocate(5000), 5000);
  const std::size_t kTooMany = std::size_t{1} << 60;
  const std::string message = error_of([&] { kernels.allocate(kTooMany); });
  EXPECT_PRED2(contains, message, "out of memory");
  EXPECT_PRED2(contains, message, "1073741824.0 GiB");
  EXPECT_EQ(kernels.memory().reserved, 0U);
  EXPECT_EQ(kernels.memory().used, 0U);
}

}  // namespace
}  // namespace basin::test
