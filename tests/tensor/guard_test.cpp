#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "support/numbers.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/guard/guard_backend.h"
#include "tensor/guard/guard_solvers.h"
#include "tensor/guard/guarded_memory.h"
#include "tensor/solvers.h"
#include "tensor/tensor.h"

namespace basin {
namespace {

using test::numbers;

constexpr Placement kGuard{Dtype::F32, Device::Guard};

float peek(const void* address) { return *static_cast<const volatile float*>(address); }
void poke(void* address) { *static_cast<volatile float*>(address) = 1.0f; }

class GuardDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
};

TEST_F(GuardDeathTest, HostCodeThatTouchesDeviceMemoryDies) {
  const Tensor x = Tensor::full({8}, 3, kGuard);
  EXPECT_DEATH(peek(x.data()), "");
  EXPECT_DEATH(poke(x.data()), "");
  EXPECT_EQ(x.values()[0], 3);
  EXPECT_DEATH(peek(x.data()), "") << "a download must close the buffer again";
}

TEST_F(GuardDeathTest, InputsCannotBeWritten) {
  GuardedMemory memory;
  void* x = memory.allocate(64);
  {
    const GuardedMemory::Opening open(memory, "test", {{x, 64, false}});
    EXPECT_EQ(peek(x), 0.0f);
    EXPECT_DEATH(poke(x), "");
  }
  {
    const GuardedMemory::Opening open(memory, "test", {{x, 64, true}, {x, 64, false}});
    poke(x);
    EXPECT_EQ(peek(x), 1.0f);
  }
  memory.release(x);
}

TEST_F(GuardDeathTest, OverrunsDie) {
  GuardedMemory memory;
  for (const std::size_t bytes : {64u, 100u, 4096u, 4097u}) {
    void* x = memory.allocate(bytes);
    const GuardedMemory::Opening open(memory, "test", {{x, bytes, true}});
    const std::size_t end = (bytes + 63) / 64 * 64;
    EXPECT_EQ(peek(static_cast<std::byte*>(x) + end - 4), 0.0f);
    EXPECT_DEATH(peek(static_cast<std::byte*>(x) + end), "") << bytes;
    EXPECT_DEATH(peek(static_cast<std::byte*>(x) - 4096), "") << bytes;
  }
}

TEST_F(GuardDeathTest, BuffersCloseWhenAKernelThrows) {
  GuardedMemory memory;
  void* x = memory.allocate(64);
  try {
    const GuardedMemory::Opening open(memory, "test", {{x, 64, true}});
    throw Error("[test] a kernel fails");
  } catch (const Error&) {
  }
  EXPECT_DEATH(peek(x), "");
}

TEST_F(GuardDeathTest, OtherBuffersStayClosed) {
  GuardedMemory memory;
  void* x = memory.allocate(64);
  void* y = memory.allocate(64);
  const GuardedMemory::Opening open(memory, "test", {{x, 64, false}});
  EXPECT_EQ(peek(x), 0.0f);
  EXPECT_DEATH(peek(y), "");
}

TEST(Guard, RefusesAddressesThatAreNotItsOwn) {
  Backend& guard = backend(Device::Guard);
  const Tensor host = Tensor::zeros({8}, {Dtype::F32, Device::Cpu});
  const Tensor x = Tensor::zeros({8}, kGuard);
  EXPECT_THROW(guard.fill(Dtype::F32, host.data(), 1.0, 8), Error);
  EXPECT_THROW(guard.copy(x.data(), host.data(), 32), Error);
  EXPECT_THROW(guard.upload(host.data(), host.data(), 32), Error);
  EXPECT_THROW(guard.download(host.data(), host.data(), 32), Error);
  EXPECT_THROW(guard.fill(Dtype::F32, nullptr, 1.0, 8), Error);
}

TEST(Guard, RefusesRangesThatLeaveTheirBuffer) {
  Backend& guard = backend(Device::Guard);
  const Tensor x = Tensor::zeros({9}, kGuard), y = Tensor::zeros({9}, kGuard);
  EXPECT_THROW(guard.fill(Dtype::F32, x.data(), 1.0, 10), Error);
  EXPECT_THROW(guard.fill(Dtype::F64, x.data(), 1.0, 5), Error);
  EXPECT_THROW(guard.fill(Dtype::F32, static_cast<float*>(x.data()) - 1, 1.0, 1), Error);
  EXPECT_THROW(guard.strided_copy(Dtype::F32, x.data(), {3, 2}, y.data(), {3, 3}),
               Error);  // reads up to element 10
  EXPECT_THROW(guard.strided_copy(Dtype::F32, x.data(), {-1}, y.data(), {9}),
               Error);  // reads down from element 0
  EXPECT_NO_THROW(guard.strided_copy(Dtype::F32, x.data(), {2, 2}, y.data(), {3, 3}));
  EXPECT_THROW(guard.gemm({.m = 3,
                           .n = 3,
                           .k = 4,
                           .a = x.data(),
                           .lda = 4,
                           .b = x.data(),
                           .ldb = 3,
                           .c = y.data(),
                           .ldc = 3}),
               Error);
}

TEST(Guard, RefusesReleasedBuffers) {
  Backend& guard = backend(Device::Guard);
  void* x = guard.allocate(64);
  EXPECT_NO_THROW(guard.fill(Dtype::F32, x, 1.0, 16));
  guard.release(x, 64);
  EXPECT_THROW(guard.fill(Dtype::F32, x, 1.0, 16), Error);
}

TEST(Guard, WorksFromManyThreads) {
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([t, &sums] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        const Tensor x = Tensor::full({100}, static_cast<double>(t), kGuard);
        const Tensor y({1}, kGuard);
        backend(Device::Guard).reduce(Reduction::Sum, Dtype::F32, x.data(), y.data(), 1, 100, 1);
        sums[t] += y.item();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, (std::vector<double>{0, 20000, 40000, 60000}));
}

/// A kernel of every kind on small inputs; all that it wrote.
std::vector<std::vector<double>> run_every_kernel(Placement where) {
  Backend& kernels = backend(where.device);
  const Dtype dtype = where.dtype;
  const auto input = [&](Shape shape, std::uint64_t seed) {
    const std::vector<double> values = numbers(element_count(shape), seed);
    return Tensor::from(values, std::move(shape), where);
  };
  const Tensor x = input({6, 8}, 1), z = input({8}, 2), w = input({8, 5}, 3);
  std::vector<std::vector<double>> results;
  const auto collect = [&](Shape shape, const std::function<void(void*)>& kernel) {
    const Tensor y = Tensor::full(std::move(shape), 0.25, where);
    kernel(y.data());
    results.push_back(y.values());
  };
  collect({6, 8}, [&](void* y) { kernels.copy(y, x.data(), x.bytes()); });
  collect({6, 8}, [&](void* y) { kernels.fill(dtype, y, 0.5, 40); });
  collect({6, 8}, [&](void* y) { kernels.cast(dtype, x.data(), dtype, y, 48); });
  collect({6, 8}, [&](void* y) { kernels.axpby(dtype, 2, x.data(), 3, y, 48); });
  collect({6, 8}, [&](void* y) { kernels.unary(Unary::Exp, dtype, x.data(), y, 48); });
  collect({6, 8}, [&](void* y) {
    kernels.binary(Binary::Mul, dtype, x.data(), {8, 1}, z.data(), {0, 1}, y, {6, 8});
  });
  collect({8, 6}, [&](void* y) { kernels.strided_copy(dtype, x.data(), {1, 8}, y, {8, 6}); });
  collect({6}, [&](void* y) { kernels.reduce(Reduction::Sum, dtype, x.data(), y, 6, 8, 1); });
  collect({6, 8}, [&](void* y) { kernels.largest(dtype, x.data(), y, 6, 8, 3); });
  const Tensor columns = Tensor::from(std::vector<double>{0, 7, 3, 3, 1, 6}, {6}, where);
  IndexCall of_rows{.dtype = dtype, .outer = 6, .middle = 8, .index = columns.data()};
  collect({6}, [&](void* y) {
    of_rows.x = x.data();
    of_rows.y = y;
    kernels.gather(of_rows);
  });
  collect({6, 8}, [&](void* y) {
    of_rows.x = w.data();
    of_rows.y = y;
    kernels.scatter(of_rows);
  });
  WindowCall of_planes{.dtype = dtype,
                       .planes = 2,
                       .height = 4,
                       .width = 6,
                       .window_height = 2,
                       .window_width = 3,
                       .stride_y = 2,
                       .stride_x = 3,
                       .x = x.data()};
  for (const WindowProduct product : {WindowProduct::Sum, WindowProduct::Max, WindowProduct::Unfold}) {
    const Tensor index({8}, where);
    of_planes.product = product;
    of_planes.index = product == WindowProduct::Max ? index.data() : nullptr;
    collect({of_planes.y_size()}, [&](void* y) {
      of_planes.y = y;
      kernels.windows(of_planes);
    });
    if (product == WindowProduct::Max) results.push_back(index.values());
  }
  const Tensor flag = Tensor::zeros({1}, {Dtype::F32, where.device});
  kernels.check(Check::Positive, dtype, x.data(), 48, flag.data());
  results.push_back(flag.values());
  collect({6, 5}, [&](void* y) {
    kernels.gemm({.dtype = dtype,
                  .m = 6,
                  .n = 5,
                  .k = 8,
                  .a = x.data(),
                  .lda = 8,
                  .b = w.data(),
                  .ldb = 5,
                  .c = y,
                  .ldc = 5});
  });
  collect({8, 5}, [&](void* y) {
    kernels.gemm({.dtype = dtype,
                  .transpose_a = true,
                  .transpose_b = true,
                  .m = 8,
                  .n = 5,
                  .k = 5,
                  .a = w.data(),
                  .lda = 8,
                  .b = w.data(),
                  .ldb = 5,
                  .beta = 1.0,
                  .c = y,
                  .ldc = 5});
  });
  collect({6, 8}, [&](void* y) { kernels.uniform(dtype, 7, 0, y, 48); });
  collect({6, 8}, [&](void* y) { kernels.normal(dtype, 7, 0, y, 48); });
  collect({6, 8}, [&](void* y) { kernels.bernoulli(dtype, 7, 0, x.data(), y, 48); });
  collect({12, 8}, [&](void* y) {
    const UnitCall call{.dtype = dtype, .rows = 6, .units = 8, .input = x.data(), .bias = z.data(), .key = 7};
    UnitCall means = call, draws = call;
    means.mean = y;
    draws.sample = static_cast<std::byte*>(y) + x.bytes();
    kernels.units(means);
    kernels.units(draws);
  });
  collect({2, 48}, [&](void* y) {
    void* parameter = static_cast<std::byte*>(y) + x.bytes();
    kernels.momentum({.dtype = dtype,
                      .n = 48,
                      .gradient = x.data(),
                      .rate = 0.1,
                      .momentum = 0.9,
                      .decay = 0.01,
                      .velocity = y,
                      .parameter = parameter});
  });
  collect({3, 48}, [&](void* y) {
    kernels.adaptive({.dtype = dtype,
                      .n = 48,
                      .gradient = x.data(),
                      .mean_keep = 0.9,
                      .mean_share = 0.1,
                      .square_keep = 0.99,
                      .square_share = 0.01,
                      .rate = 0.1,
                      .epsilon = 1e-8,
                      .mean = y,
                      .square = static_cast<std::byte*>(y) + x.bytes(),
                      .parameter = static_cast<std::byte*>(y) + 2 * x.bytes()});
  });
  collect({48}, [&](void* y) {
    kernels.restrain({.dtype = dtype,
                      .n = 48,
                      .gradient = x.data(),
                      .scale = 0.5,
                      .limit = 0.3,
                      .l1 = 0.1,
                      .l2 = 0.2,
                      .parameter = x.data(),
                      .y = y});
  });
  collect({6, 8}, [&](void* y) { kernels.limit_norms(dtype, y, 1, 6, 8, 0.4); });
  const Tensor total = Tensor::full({1}, 0.25, {Dtype::F64, where.device});
  kernels.dot(dtype, x.data(), x.data(), 48, static_cast<double*>(total.data()));
  results.push_back(total.values());
  collect({8}, [&](void* y) { kernels.column_sums(dtype, x.data(), 6, 8, 2, 0.5, y); });
  const Tensor sums = Tensor::full({6}, 0.25, {Dtype::F64, where.device});
  kernels.softplus_difference(dtype, x.data(), z.data(), 6, 8, 0.1, 0.2, static_cast<double*>(sums.data()));
  results.push_back(sums.values());
  return results;
}

/// A small problem for every solver; all that they wrote.
std::vector<std::vector<double>> run_every_solver(Placement where) {
  Solvers& table = *solvers(where.device);
  const Dtype dtype = where.dtype;
  const auto input = [&](Shape shape, std::uint64_t seed) {
    const std::vector<double> values = numbers(element_count(shape), seed);
    return Tensor::from(values, std::move(shape), where);
  };
  std::vector<std::vector<double>> results;
  const Tensor gram = Tensor::from(std::vector<double>{2, 0.5, 0.5, 1}, {2, 2}, where), q = input({3, 2}, 1);
  const Tensor dictionary = input({2, 5}, 2), cross = input({2, 5}, 3);
  table.dictionary({.dtype = dtype,
                    .atoms = 2,
                    .features = 5,
                    .gram = gram.data(),
                    .cross = cross.data(),
                    .tiny = 1e-7,
                    .dictionary = dictionary.data()});
  results.push_back(dictionary.values());
  const Tensor constant = Tensor::full({3}, 2, where), gap({3}, {Dtype::F64, where.device}),
               steps({3}, {Dtype::F64, where.device});
  for (const bool gradient : {false, true}) {
    const Tensor z = Tensor::zeros({3, 2}, where);
    LassoCall call{.dtype = dtype, .rows = 3, .codes = 2, .gram = gram.data(), .linear = q.data()};
    call.constant = constant.data();
    call.lambda = 0.1;
    call.tolerance = 1e-4;
    call.max_steps = 100;
    call.step = 0.4;
    call.z = z.data();
    call.gap = static_cast<double*>(gap.data());
    call.steps = static_cast<double*>(steps.data());
    gradient ? table.lasso_gradient(call) : table.lasso_descent(call);
    for (const Tensor& tensor : {z, gap, steps}) results.push_back(tensor.values());
  }
  const Tensor w = input({2, 1, 3, 3}, 4), y = input({2, 1, 6, 16}, 5), target = input({2, 2, 6, 16}, 6),
               start = input({2, 2, 6, 16}, 7), codes({2, 6, 16}, where);
  ConvLassoProblem problem{
      .dtype = dtype, .images = 2, .channels = 1, .filters = 2, .height = 6, .width = 16};
  problem.filter_height = problem.filter_width = 3;
  problem.padding_y = problem.padding_x = 1;
  problem.attraction = 0.5;
  problem.lambda = 0.2;
  problem.step = 0.1;
  problem.w = w.data();
  problem.y = y.data();
  problem.target = target.data();
  problem.start = start.data();
  const Tensor room({static_cast<Index>(table.conv_lasso_room(problem) / 4)}, {Dtype::F32, where.device});
  const auto solver = table.conv_lasso(problem, room.data());
  const std::vector<Index> both{0, 1}, second{1};
  std::vector<ConvLassoSums> sums(2);
  solver->move(both);
  solver->steps(both, sums);
  results.push_back({sums[0].move, sums[1].length});
  solver->move(second);
  solver->measure(second, std::span(sums).first(1));
  results.push_back({sums[0].residual, sums[0].along, sums[0].norm, sums[0].largest});
  solver->read(1, codes.data());
  results.push_back(codes.values());
  return results;
}

TEST(Guard, EverySolverGivesTheNumbersOfTheCpu) {
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    const auto cpu = run_every_solver({dtype, Device::Cpu});
    const auto guard = run_every_solver({dtype, Device::Guard});
    ASSERT_EQ(cpu.size(), guard.size());
    for (std::size_t i = 0; i < cpu.size(); ++i)
      EXPECT_EQ(cpu[i], guard[i]) << i << " in " << to_string(dtype);
  }
}

TEST(Guard, CanBeWithoutSolvers) {
  EXPECT_NE(solvers(Device::Guard), nullptr);
  {
    const WithoutGuardSolvers none;
    EXPECT_EQ(solvers(Device::Guard), nullptr);
    EXPECT_NE(solvers(Device::Cpu), nullptr);
  }
  EXPECT_NE(solvers(Device::Guard), nullptr);
}

TEST(Guard, CountsItsWork) {
  const Tensor x = Tensor::full({3, 3}, 1, kGuard), y({3, 3}, kGuard);
  const auto product = [&](Index n) {
    backend(Device::Guard)
        .gemm({.m = 3,
               .n = n,
               .k = 3,
               .a = x.data(),
               .lda = 3,
               .b = x.data(),
               .ldb = n,
               .c = y.data(),
               .ldc = n});
  };
  const GuardWork before = guard_work();
  product(3);
  product(1);
  y.values();
  const GuardWork after = guard_work();
  EXPECT_EQ(after.gemms - before.gemms, 2U);
  EXPECT_EQ(after.products - before.products, 1U);
  EXPECT_EQ(after.downloads - before.downloads, 1U);
}

TEST(Guard, EveryKernelGivesTheNumbersOfTheCpu) {
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    const auto cpu = run_every_kernel({dtype, Device::Cpu});
    const auto guard = run_every_kernel({dtype, Device::Guard});
    ASSERT_EQ(cpu.size(), guard.size());
    for (std::size_t i = 0; i < cpu.size(); ++i)
      EXPECT_EQ(cpu[i], guard[i]) << "kernel " << i << " in " << to_string(dtype);
  }
}

}  // namespace
}  // namespace basin
