#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "support/device.h"
#include "support/numbers.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::f32;
using test::f64;
using test::numbers;

constexpr Index kHuge = Index{1} << 62;

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({3, 4}), 12);
  EXPECT_EQ(element_count({3, 0}), 0);
  EXPECT_EQ(to_string(Shape{100, 784}), "[100, 784]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

TEST(Shape, RefusesNegativeAndOverflowingExtents) {
  EXPECT_THROW(element_count({3, -1}), Error);
  EXPECT_THROW(element_count({kHuge, 2}), Error);
  EXPECT_THROW(element_count({0, kHuge, 2}), Error);
  EXPECT_EQ(element_count({kHuge}), kHuge);
}

TEST(Names, AreReadBack) {
  for (const Device device : {Device::Cpu, Device::Guard, Device::Cuda, Device::CudaEmulated})
    EXPECT_EQ(parse_device(to_string(device)), device);
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) EXPECT_EQ(parse_dtype(to_string(dtype)), dtype);
  EXPECT_THROW(parse_device("gpu"), Error);
  EXPECT_THROW(parse_dtype("F32"), Error);
}

TEST(Threads, AreSetAndChecked) {
  const int before = thread_count();
  set_thread_count(3);
  EXPECT_EQ(thread_count(), 3);
  set_thread_count(before);
  EXPECT_THROW(set_thread_count(0), Error);
}

TEST(Tensor, StartsWithoutStorage) {
  const Tensor empty;
  EXPECT_FALSE(empty.defined());
  EXPECT_EQ(empty.size(), 0);
  EXPECT_EQ(empty.data(), nullptr);
  EXPECT_THROW(empty.values(), Error);
  EXPECT_THROW(empty.item(), Error);
  EXPECT_THROW(empty.clone(), Error);
  EXPECT_THROW(empty.fill(1), Error);
  EXPECT_THROW(empty.to(Dtype::F64), Error);
  EXPECT_THROW(empty.rows(0, 0), Error);
  EXPECT_THROW(empty.reshaped({0}), Error);
  EXPECT_THROW(empty.host<float>(), Error);
  EXPECT_THROW(Tensor({1}).copy_from(empty), Error);
}

TEST(Tensor, KnowsItsShapeAndPlace) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x({2, 3, 5}, where);
    EXPECT_TRUE(x.defined());
    EXPECT_EQ(x.shape(), (Shape{2, 3, 5}));
    EXPECT_EQ(x.rank(), 3);
    EXPECT_EQ(x.size(), 30);
    EXPECT_EQ(x.bytes(), 30 * byte_size(where.dtype));
    EXPECT_EQ(x.placement(), where);
    EXPECT_EQ(x.dim(0), 2);
    EXPECT_EQ(x.dim(-1), 5);
    EXPECT_EQ(x.dim(-3), 2);
    EXPECT_THROW(x.dim(3), Error);
    EXPECT_THROW(x.dim(-4), Error);
  }
}

TEST(Tensor, IsAlignedToCacheLines) {
  for (const Index n : {1, 3, 17, 1000, 100001}) {
    const Tensor x({n}, f32());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data()) % 64, 0u) << n;
  }
}

TEST(Tensor, HoldsWhatItIsGiven) {
  const std::vector<double> given = numbers(35, 1);
  const std::vector<float> narrow(given.begin(), given.end());
  for (const Placement where : {f32(), f64()}) {
    EXPECT_EQ(Tensor::from(given, {5, 7}, where).values(), given);
    EXPECT_EQ(Tensor::from(narrow, {5, 7}, where).values(), given);
    EXPECT_EQ(Tensor::full({3}, 2.5, where).values(), std::vector<double>(3, 2.5));
    EXPECT_EQ(Tensor::zeros({3}, where).values(), std::vector<double>(3, 0.0));
  }
}

TEST(Tensor, RoundsToItsPrecision) {
  const std::vector<double> third{1.0 / 3.0};
  EXPECT_EQ(Tensor::from(third, {1}, f32()).item(), static_cast<double>(1.0f / 3.0f));
  EXPECT_EQ(Tensor::from(third, {}, f64()).item(), 1.0 / 3.0);
}

TEST(Tensor, RefusesCountsThatDoNotFit) {
  const std::vector<double> five(5);
  EXPECT_THROW(Tensor::from(five, {2, 3}, f32()), Error);
  EXPECT_THROW(Tensor::from(std::span<const double>(), {}, f32()), Error);
  EXPECT_THROW(Tensor({2, -1}, f32()), Error);
}

TEST(Tensor, RefusesSizesThatNoMachineHas) {
  for (const Placement where : {f32(), f64()}) {
    EXPECT_THROW(Tensor({kHuge}, where), Error);           // overflows when counted in bytes
    EXPECT_THROW(Tensor({kHuge, kHuge}, where), Error);    // overflows when counted in elements
    EXPECT_THROW(Tensor({Index{1} << 60}, where), Error);  // fits a number, but no memory
    EXPECT_THROW(Tensor::zeros({Index{1} << 50}, where), Error);
  }
}

TEST(Tensor, SaysInOneLineWhatWasWrong) {
  try {
    Tensor::zeros({2, 3}, f32()).reshaped({7});
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("[2, 3]"), std::string::npos) << text;
    EXPECT_NE(text.find("[7]"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(Tensor, MayBeEmpty) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x = Tensor::zeros({0, 4}, where);
    EXPECT_TRUE(x.defined());
    EXPECT_EQ(x.bytes(), 0u);
    EXPECT_TRUE(x.values().empty());
    EXPECT_EQ(x.rows(0, 0).shape(), (Shape{0, 4}));
    EXPECT_EQ(x.clone().shape(), (Shape{0, 4}));
    EXPECT_EQ(x.reshaped({4, 0}).shape(), (Shape{4, 0}));
    EXPECT_EQ(x.to({Dtype::F64, Device::Guard}).shape(), (Shape{0, 4}));
    EXPECT_EQ(Tensor::from(std::span<const double>(), {0}, where).size(), 0);
    EXPECT_THROW(x.item(), Error);
  }
}

TEST(Tensor, ScalarsHaveOneNumber) {
  const Tensor x = Tensor::full({}, 3.0, f64());
  EXPECT_EQ(x.size(), 1);
  EXPECT_EQ(x.item(), 3.0);
  EXPECT_THROW(x.rows(0, 1), Error);
  EXPECT_THROW(x.dim(0), Error);
  EXPECT_THROW(Tensor::zeros({2}, f64()).item(), Error);
}

TEST(Tensor, HandlesAndViewsShareBytes) {
  const Tensor x = Tensor::from(numbers(12, 2), {4, 3}, f32());
  const Tensor handle = x;
  const Tensor flat = x.reshaped({12});
  const Tensor middle = x.rows(1, 3);
  EXPECT_EQ(middle.shape(), (Shape{2, 3}));
  const std::vector<double> all = flat.values();
  EXPECT_EQ(middle.values(), std::vector<double>(all.begin() + 3, all.begin() + 9));
  middle.fill(7);
  EXPECT_EQ(handle.values()[2], numbers(12, 2)[2]);
  EXPECT_EQ(handle.values()[3], 7);
  EXPECT_EQ(flat.values()[8], 7);
  EXPECT_EQ(flat.values()[9], numbers(12, 2)[9]);
}

TEST(Tensor, RowsAreChecked) {
  const Tensor x = Tensor::zeros({4, 3}, f32());
  EXPECT_EQ(x.rows(4, 4).size(), 0);
  EXPECT_EQ(x.rows(0, 4).values().size(), 12u);
  EXPECT_THROW(x.rows(-1, 2), Error);
  EXPECT_THROW(x.rows(2, 1), Error);
  EXPECT_THROW(x.rows(0, 5), Error);
}

TEST(Tensor, ReshapesToEqualSizesOnly) {
  const Tensor x = Tensor::zeros({4, 3}, f32());
  EXPECT_EQ(x.reshaped({2, 6}).data(), x.data());
  EXPECT_THROW(x.reshaped({5}), Error);
  EXPECT_THROW(x.reshaped({-4, -3}), Error);
}

TEST(Tensor, ViewsOutliveTheirOrigin) {
  Tensor view;
  {
    const Tensor x = Tensor::from(numbers(6, 3), {3, 2}, f64());
    view = x.rows(1, 2);
  }
  EXPECT_EQ(view.values(), (std::vector<double>{numbers(6, 3)[2], numbers(6, 3)[3]}));
}

TEST(Tensor, ClonesHaveTheirOwnBytes) {
  const Tensor x = Tensor::full({3}, 1, f32());
  const Tensor y = x.clone();
  y.fill(2);
  EXPECT_EQ(x.values(), std::vector<double>(3, 1.0));
  EXPECT_EQ(y.values(), std::vector<double>(3, 2.0));
  EXPECT_EQ(y.placement(), x.placement());
}

TEST(Tensor, MovesBetweenDevicesAndPrecisions) {
  const std::vector<double> given = numbers(35, 4);
  for (const Device from : {Device::Cpu, Device::Guard, test::device()}) {
    for (const Device to : {Device::Cpu, Device::Guard, test::device()}) {
      for (const Dtype a : {Dtype::F32, Dtype::F64}) {
        for (const Dtype b : {Dtype::F32, Dtype::F64}) {
          const Tensor x = Tensor::from(given, {5, 7}, {a, from});
          const Tensor y = x.to({b, to});
          EXPECT_EQ(y.placement(), (Placement{b, to}));
          EXPECT_EQ(y.shape(), x.shape());
          EXPECT_EQ(y.values(), given);
          EXPECT_EQ(y.data() == x.data(), x.placement() == y.placement());
        }
      }
    }
  }
}

TEST(Tensor, CopiesIntoViews) {
  const Tensor x = Tensor::zeros({4, 2}, f32());
  const std::vector<double> given = numbers(4, 5);
  x.rows(1, 3).copy_from(Tensor::from(given, {2, 2}, {Dtype::F64, Device::Cpu}));
  EXPECT_EQ(x.values(), (std::vector<double>{0, 0, given[0], given[1], given[2], given[3], 0, 0}));
  EXPECT_THROW(x.copy_from(Tensor::zeros({2, 4}, f32())), Error);
}

TEST(Tensor, CopiesOverItself) {
  const std::vector<double> given = numbers(10, 6);
  const Tensor x = Tensor::from(given, {5, 2}, f64());
  x.rows(0, 4).copy_from(x.rows(1, 5));
  const std::vector<double> moved = x.values();
  EXPECT_EQ(std::vector<double>(moved.begin(), moved.begin() + 8),
            std::vector<double>(given.begin() + 2, given.end()));
}

TEST(Tensor, GivesHostAddressesOnTheCpuOnly) {
  const Tensor x = Tensor::full({2}, 3, {Dtype::F32, Device::Cpu});
  EXPECT_EQ(x.host<float>()[1], 3.0f);
  x.host<float>()[1] = 4;
  EXPECT_EQ(x.values()[1], 4);
  EXPECT_THROW(x.host<double>(), Error);
  EXPECT_THROW(x.to(Device::Guard).host<float>(), Error);
}

TEST(Tensor, KeepsSpecialNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::from(std::vector<double>{infinity, -infinity, std::nan(""), -0.0}, {4}, f64());
  for (const Tensor& y : {x, x.to(Dtype::F32), x.to(Dtype::F32).to(Dtype::F64)}) {
    EXPECT_EQ(y.values()[0], infinity);
    EXPECT_EQ(y.values()[1], -infinity);
    EXPECT_TRUE(std::isnan(y.values()[2]));
    EXPECT_TRUE(std::signbit(y.values()[3]));
  }
  EXPECT_EQ(Tensor::from(std::vector<double>{1e300}, {1}, f32()).item(), infinity);
}

TEST(Tensor, AllocationsAreCounted) {
  const std::uint64_t before = allocation_count(test::device());
  const Tensor x({3}, f32());
  const Tensor view = x.rows(0, 2);
  const Tensor handle = x.to(f32());
  EXPECT_EQ(allocation_count(test::device()), before + 1);
  const Tensor y = x.clone();
  EXPECT_EQ(allocation_count(test::device()), before + 2);
  EXPECT_THROW(Tensor({Index{1} << 60}, f32()), Error);
  EXPECT_EQ(allocation_count(test::device()), before + 2);
}

}  // namespace
}  // namespace basin
