// The solvers for GPUs against the CPU's: on a GPU where there is one (--device cuda), else in emulation.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "support/device.h"
#include "support/error_of.h"
#include "support/numbers.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/solvers.h"
#include "tensor/tensor.h"

namespace basin::test {
namespace {

Device gpu() { return device() == Device::Cuda ? Device::Cuda : Device::CudaEmulated; }

Tensor input(Shape shape, std::uint64_t seed, Placement where) {
  const std::vector<double> values = numbers(element_count(shape), seed);
  return Tensor::from(values, std::move(shape), where);
}

using Results = std::vector<std::vector<double>>;

/// What both devices give, within a tolerance relative to numbers above 1.
void expect_same(const std::function<Results(Placement)>& run, double tolerance_f32, double tolerance_f64,
                 const std::string& what) {
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    const Results cpu = run({dtype, Device::Cpu}), own = run({dtype, gpu()});
    const double tolerance = dtype == Dtype::F32 ? tolerance_f32 : tolerance_f64;
    ASSERT_EQ(cpu.size(), own.size());
    for (std::size_t r = 0; r < cpu.size(); ++r) {
      ASSERT_EQ(cpu[r].size(), own[r].size());
      for (std::size_t i = 0; i < cpu[r].size(); ++i) {
        ASSERT_NEAR(cpu[r][i], own[r][i], tolerance * std::max(1.0, std::abs(cpu[r][i])))
            << what << " in " << to_string(dtype) << ", result " << r << ", number " << i;
      }
    }
  }
}

Results run_recurrence(Placement where, GatedCell cell, bool reversed, bool cut) {
  const Index rows = 5, steps = 7, hidden = 6, gates = gates_of(cell), states = states_of(cell);
  const std::vector<Index> lengths{7, 0, 3, 1, 6};
  const bool is_lstm = cell == GatedCell::Lstm;
  const auto zeros = [&](Shape shape) { return Tensor::zeros(std::move(shape), where); };
  const Tensor a = input({rows, steps, gates * hidden}, 1, where),
               u = input({hidden, gates * hidden}, 2, where), b = input({hidden}, 3, where),
               start = input({rows, states * hidden}, 4, where), output = zeros({rows, steps, hidden}),
               end = zeros({rows, states * hidden}), kept = zeros({rows, steps, 4 * hidden}),
               cells = zeros({rows, steps, hidden}), previous = zeros({rows, steps, hidden}),
               d_output = input({rows, steps, hidden}, 5, where),
               d_input = zeros({rows, steps, gates * hidden}),
               d_product = zeros({rows, steps, gates * hidden}), d_start = zeros({rows, states * hidden});
  const auto sizes = [&](auto& call) {
    call.dtype = where.dtype;
    call.cell = cell;
    call.reversed = reversed;
    call.rows = rows;
    call.steps = steps;
    call.hidden = hidden;
    if (cut) call.lengths = lengths;
    call.weight = u.data();
    call.start = start.data();
    call.record = {kept.data(), is_lstm ? cells.data() : nullptr, previous.data()};
  };
  RecurrenceForward forward;
  sizes(forward);
  forward.input = a.data();
  forward.bias = is_lstm ? nullptr : b.data();
  forward.output = output.data();
  forward.end = end.data();
  Solvers& table = *solvers(where.device);
  table.recurrence_forward(forward);
  RecurrenceBackward backward;
  sizes(backward);
  backward.d_output = d_output.data();
  backward.d_input = d_input.data();
  backward.d_product = is_lstm ? nullptr : d_product.data();
  backward.d_start = d_start.data();
  table.recurrence_backward(backward);
  return {output.values(),  end.values(),       previous.values(),
          d_input.values(), d_product.values(), d_start.values()};
}

/// Once for the emulation and once a GPU: the guard device adds nothing, and the emulated one is that of the
/// first run.
class CudaSolvers : public testing::Test {
  void SetUp() override {
    if (is_guarded()) GTEST_SKIP() << "runs without --device";
  }
};

TEST_F(CudaSolvers, RecurrentLayersAreThoseOfTheCpu) {
  for (const GatedCell cell : {GatedCell::Lstm, GatedCell::Gru}) {
    for (const bool reversed : {false, true}) {
      for (const bool cut : {false, true}) {
        expect_same([&](Placement where) { return run_recurrence(where, cell, reversed, cut); }, 1e-5, 1e-13,
                    std::string(cell == GatedCell::Lstm ? "lstm" : "gru") + (reversed ? ", reversed" : ""));
      }
    }
  }
}

/// Codes of random rows by a random dictionary of 12 atoms; every fourth row is 0 and found at once.
Results run_lasso(Placement where, LassoCall call) {
  const Index rows = 61, codes = 12, features = 9;
  const Placement double_there{Dtype::F64, where.device};
  const std::vector<double> d = numbers(codes * features, 6), x = numbers(rows * features, 7);
  std::vector<double> gram(144), linear(static_cast<std::size_t>(rows * codes)),
      constant(static_cast<std::size_t>(rows));
  const auto at = [](const std::vector<double>& from, Index i) { return from[static_cast<std::size_t>(i)]; };
  for (Index i = 0; i < codes; ++i) {
    for (Index j = 0; j < codes; ++j) {
      for (Index k = 0; k < features; ++k)
        gram[static_cast<std::size_t>(i * codes + j)] += at(d, i * features + k) * at(d, j * features + k);
    }
    for (Index n = 0; n < rows; ++n) {
      for (Index k = 0; k < features && n % 4 != 0; ++k)
        linear[static_cast<std::size_t>(n * codes + i)] += at(d, i * features + k) * at(x, n * features + k);
    }
  }
  for (Index n = 0; n < rows; ++n) {
    for (Index k = 0; k < features && n % 4 != 0; ++k)
      constant[static_cast<std::size_t>(n)] += 0.5 * at(x, n * features + k) * at(x, n * features + k);
  }
  const Tensor h = Tensor::from(gram, {codes, codes}, where), q = Tensor::from(linear, {rows, codes}, where),
               c = Tensor::from(constant, {rows}, where), z = Tensor::zeros({rows, codes}, where),
               gap({rows}, double_there), steps({rows}, double_there);
  call.dtype = where.dtype;
  call.rows = rows;
  call.codes = codes;
  call.gram = h.data();
  call.linear = q.data();
  call.constant = c.data();
  call.lambda = 0.3;
  call.step = 1.0 / 16.0;  // below 1 / trace(H)
  call.z = z.data();
  call.gap = static_cast<double*>(gap.data());
  call.steps = static_cast<double*>(steps.data());
  solvers(where.device)->lasso_gradient(call);
  Results results{z.values()};
  // Where rounding decides about a step the number of steps may differ: it is compared where it does not.
  if (where.dtype == Dtype::F64) results.push_back(steps.values());
  return results;
}

TEST_F(CudaSolvers, LassoByGradients) {
  for (const bool momentum : {false, true}) {
    for (const bool non_negative : {false, true}) {
      LassoCall call{.non_negative = non_negative, .tolerance = 1e-5, .max_steps = 3000};
      call.momentum = momentum;
      call.check_every = 7;
      // f32: both are within the tolerance of the same minimum.
      expect_same([&](Placement where) { return run_lasso(where, call); }, 5e-3, 1e-9, "within a tolerance");
      call.tolerance = -1.0;
      call.max_steps = 25;
      expect_same([&](Placement where) { return run_lasso(where, call); }, 2e-5, 1e-12, "25 steps");
    }
  }
}

TEST_F(CudaSolvers, LassoSaysThatNumbersAreNotFinite) {
  const Placement where{Dtype::F64, gpu()};
  const Tensor h = Tensor::full({1, 1}, 1.0, where),
               q = Tensor::from(std::vector<double>{1.0, std::nan("")}, {2, 1}, where),
               c = Tensor::full({2}, 0.5, where), z = Tensor::zeros({2, 1}, where), gap({2}, where),
               steps({2}, where);
  LassoCall call{
      .dtype = Dtype::F64, .rows = 2, .codes = 1, .gram = h.data(), .linear = q.data(), .constant = c.data()};
  call.lambda = 0.1;
  call.tolerance = 1e-9;
  call.max_steps = 100;
  call.step = 1.0;
  call.z = z.data();
  call.gap = static_cast<double*>(gap.data());
  call.steps = static_cast<double*>(steps.data());
  solvers(gpu())->lasso_gradient(call);
  EXPECT_NEAR(z.values()[0], 0.9, 1e-9);
  EXPECT_LE(gap.values()[0], 1e-9);
  EXPECT_TRUE(std::isnan(gap.values()[1]));
}

TEST_F(CudaSolvers, DescentIsNotThere) {
  EXPECT_FALSE(solvers(gpu())->has_lasso_descent());
  EXPECT_TRUE(solvers(Device::Cpu)->has_lasso_descent());
  EXPECT_NE(error_of([] { solvers(gpu())->lasso_descent({}); }), "");
}

TEST_F(CudaSolvers, DictionariesMoveAtomByAtom) {
  expect_same(
      [](Placement where) {
        const Index atoms = 70, features = 33;  // three blocks
        const Tensor codes = input({200, atoms}, 8, where), cross = input({atoms, features}, 9, where),
                     dictionary = input({atoms, features}, 10, where), gram({atoms, atoms}, where);
        GemmCall square{.dtype = where.dtype, .transpose_a = true, .m = atoms, .n = atoms, .k = 200};
        square.a = square.b = codes.data();
        square.lda = square.ldb = atoms;
        square.c = gram.data();
        square.ldc = atoms;
        backend(where.device).gemm(square);
        gram.reshaped({atoms * atoms})
            .rows(41 * atoms + 41, 41 * atoms + 42)
            .fill(0.0);  // an atom that is not used
        solvers(where.device)
            ->dictionary({.dtype = where.dtype,
                          .atoms = atoms,
                          .features = features,
                          .gram = gram.data(),
                          .cross = cross.data(),
                          .tiny = 1e-7,
                          .dictionary = dictionary.data()});
        return Results{dictionary.values()};
      },
      1e-4, 1e-12, "dictionary");
}

Results run_conv_lasso(Placement where, bool with_target, bool non_negative) {
  ConvLassoProblem problem{
      .dtype = where.dtype, .images = 4, .channels = 2, .filters = 3, .height = 10, .width = 18};
  problem.filter_height = problem.filter_width = 3;
  problem.padding_x = 1;
  problem.padding_y = 0;
  problem.weight = 0.8;
  problem.lambda = 0.2;
  problem.step = 0.05;
  problem.non_negative = non_negative;
  const Tensor w = input({3, 2, 3, 3}, 4, where), y = input({4, 2, 12, 18}, 5, where),
               target = input({4, 3, 10, 18}, 6, where), start = input({4, 3, 10, 18}, 7, where),
               codes({3, 10, 18}, where);
  problem.w = w.data();
  problem.y = y.data();
  if (with_target) {
    problem.target = target.data();
    problem.start = start.data();
    problem.attraction = 0.5;
  }
  Solvers& table = *solvers(where.device);
  const Tensor room({static_cast<Index>(table.conv_lasso_room(problem) / 4)}, {Dtype::F32, where.device});
  const auto solver = table.conv_lasso(problem, room.data());
  Results results;
  std::vector<Index> which{0, 1, 2, 3};
  for (const Index leaves : {Index{-1}, Index{1}, Index{0}}) {  // an image from the middle, then the first
    std::erase(which, leaves);
    for (int i = 0; i < 6; ++i) solver->move(which);
    std::vector<ConvLassoSums> sums(which.size());
    solver->steps(which, sums);
    for (const ConvLassoSums& own : sums) results.push_back({own.move, own.length});
    solver->measure(which, sums);
    for (const ConvLassoSums& own : sums)
      results.push_back({own.residual, own.product, own.deviation, own.along, own.norm, own.largest});
    for (const Index image : which) {
      solver->read(image, codes.data());
      results.push_back(codes.values());
    }
  }
  return results;
}

TEST_F(CudaSolvers, ConvolutionalCodes) {
  for (const bool with_target : {false, true}) {
    for (const bool non_negative : {false, true}) {
      expect_same([&](Placement where) { return run_conv_lasso(where, with_target, non_negative); }, 2e-4,
                  1e-11, with_target ? "with a target" : "without");
    }
  }
}

}  // namespace
}  // namespace basin::test
