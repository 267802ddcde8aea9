#include "autograd/recurrence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"
#include "tensor/guard/guard_solvers.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

Tensor tensor(Shape shape, std::uint64_t seed, double scale = 1.0, Placement placement = test::f64()) {
  std::vector<double> numbers = test::numbers(element_count(shape), seed);
  for (double& number : numbers) number *= scale;
  return Tensor::from(numbers, std::move(shape), placement);
}

/// Inputs of a cell: a, U, the start and, of a Gru, b.
Values inputs_of(GatedCell cell, Index rows, Index steps, Index hidden, Placement placement = test::f64()) {
  const Index width = gates_of(cell) * hidden;
  const double scale = 1.0 / std::sqrt(static_cast<double>(hidden));
  Values all{Value::leaf(tensor({rows, steps, width}, 1, 1.0, placement)),
             Value::leaf(tensor({hidden, width}, 2, scale, placement)),
             Value::leaf(tensor({rows, states_of(cell) * hidden}, 3, 1.0, placement))};
  if (cell == GatedCell::Gru) all.push_back(Value::leaf(tensor({hidden}, 4, 1.0, placement)));
  return all;
}

Walked run(GatedCell cell, const Values& x, const WalkOptions& how, Steps steps) {
  return gated_walk(cell, x[0], {.recurrent = x[1], .candidate = x.size() > 3 ? x[3] : Value()}, x[2], how,
                    steps);
}

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// The definition, number by number.
struct Plain {
  std::vector<double> outputs, state;
};
Plain plain(GatedCell cell, const Values& x, const WalkOptions& how) {
  const std::vector<double> a = x[0].tensor().values(), u = x[1].tensor().values();
  const Index rows = x[0].dim(0), steps = x[0].dim(1), width = x[0].dim(2), hidden = x[1].dim(0);
  const Index states = states_of(cell) * hidden;
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  Plain all{std::vector<double>(at(rows * steps * hidden), 0.0), x[2].tensor().values()};
  for (Index n = 0; n < rows; ++n) {
    double* h = &all.state[at(n * states)];
    double* c = h + hidden;
    const Index length = how.lengths.empty() ? steps : how.lengths[at(n)];
    for (Index s = 0; s < length; ++s) {
      const Index t = how.reversed ? length - 1 - s : s;
      std::vector<double> product(at(width), 0.0);
      for (Index j = 0; j < width; ++j) {
        for (Index k = 0; k < hidden; ++k) product[at(j)] += h[k] * u[at(k * width + j)];
      }
      const double* in = &a[at((n * steps + t) * width)];
      for (Index j = 0; j < hidden; ++j) {
        const auto total = [&](Index g) { return in[g * hidden + j] + product[at(g * hidden + j)]; };
        if (cell == GatedCell::Lstm) {
          c[j] = logistic(total(1)) * c[j] + logistic(total(0)) * std::tanh(total(2));
          h[j] = logistic(total(3)) * std::tanh(c[j]);
        } else {
          const double q = product[at(2 * hidden + j)] + x[3].tensor().values()[at(j)];
          const double n_j = std::tanh(in[2 * hidden + j] + logistic(total(0)) * q), z = logistic(total(1));
          h[j] = (1.0 - z) * n_j + z * h[j];
        }
        all.outputs[at((n * steps + t) * hidden + j)] = h[j];
      }
    }
  }
  return all;
}

void expect_near(const Value& got, const std::vector<double>& expected, double tolerance,
                 const std::string& what) {
  const std::vector<double> values = got.tensor().values();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i])))
        << what << " at " << i;
  }
}

struct Case {
  GatedCell cell;
  WalkOptions how;
  std::string name;
};

std::vector<Case> cases(Index rows, Index steps) {
  std::vector<Case> all;
  for (const GatedCell cell : {GatedCell::Lstm, GatedCell::Gru}) {
    for (const bool reversed : {false, true}) {
      for (const bool ragged : {false, true}) {
        std::vector<Index> lengths;
        for (Index n = 0; ragged && n < rows; ++n) lengths.push_back(steps - n * 3 % steps);
        all.push_back({cell,
                       {lengths, reversed},
                       std::string(cell == GatedCell::Lstm ? "lstm" : "gru") +
                           (reversed ? ", reversed" : "") + (ragged ? ", ragged" : "")});
      }
    }
  }
  return all;
}

TEST(Recurrence, OverFiftyStepsEqualsTheDefinition) {
  for (const Case& each : cases(7, 50)) {
    for (const Steps steps : {Steps::Fused, Steps::Composed}) {
      const Values x = inputs_of(each.cell, 7, 50, 13);
      const Walked walked = run(each.cell, x, each.how, steps);
      const Plain expected = plain(each.cell, x, each.how);
      expect_near(walked.outputs, expected.outputs, 1e-12, each.name);
      expect_near(walked.state, expected.state, 1e-12, each.name);
    }
  }
}

/// Gradients of sum(w . outputs) in all inputs.
Values gradients(const Case& each, const Values& x, Steps steps) {
  const Walked walked = run(each.cell, x, each.how, steps);
  return vector_jacobian_product(walked.outputs, tensor(walked.outputs.shape(), 9, 1.0, x[0].placement()), x);
}

TEST(Recurrence, FusedEqualsComposed) {
  // Sizes beside and between widths of vectors and of blocks of rows.
  for (const auto& [rows, hidden] : {std::pair<Index, Index>{1, 1}, {5, 8}, {8, 19}, {13, 33}}) {
    for (const Case& each : cases(rows, 6)) {
      for (const Placement placement : {test::f64(), test::f32()}) {
        const bool is_f64 = placement.dtype == Dtype::F64;
        const Values x = inputs_of(each.cell, rows, 6, hidden, placement);
        const Walked fused = run(each.cell, x, each.how, Steps::Fused),
                     composed = run(each.cell, x, each.how, Steps::Composed);
        expect_near(fused.outputs, composed.outputs.tensor().values(), is_f64 ? 1e-13 : 2e-6, each.name);
        expect_near(fused.state, composed.state.tensor().values(), is_f64 ? 1e-13 : 2e-6, each.name);
        const Values one = gradients(each, x, Steps::Fused), other = gradients(each, x, Steps::Composed);
        for (std::size_t i = 0; i < x.size(); ++i)
          expect_near(one[i], other[i].tensor().values(), is_f64 ? 1e-12 : 2e-5, each.name);
      }
    }
  }
}

TEST(Recurrence, DifferentiatesTwice) {
  for (const Case& each : cases(3, 4)) {
    const Values x = inputs_of(each.cell, 3, 4, 3);
    EXPECT_EQ(gradcheck([&] { return run(each.cell, x, each.how, Steps::Fused).outputs; }, x), "")
        << each.name;
    if (each.how.lengths.empty()) continue;
    EXPECT_EQ(gradcheck([&] { return run(each.cell, x, each.how, Steps::Fused).state; }, x), "") << each.name;
    EXPECT_EQ(gradcheck([&] { return run(each.cell, x, each.how, Steps::Composed).outputs; }, x), "")
        << each.name;
  }
}

/// A start that depends on U, so that one input of the node is reached through another.
TEST(Recurrence, DifferentiatesTwiceWhereInputsDependOnEachOther) {
  const Values x = inputs_of(GatedCell::Gru, 3, 4, 3);
  EXPECT_EQ(gradcheck(
                [&] {
                  Values own = x;
                  own[2] = matmul(x[2], slice(x[1], 1, 0, 3));
                  const Walked first = run(GatedCell::Gru, own, {}, Steps::Fused);
                  own[2] = first.state;
                  return run(GatedCell::Gru, own, {{4, 2, 3}, false}, Steps::Fused).outputs;
                },
                x),
            "");
}

TEST(Recurrence, PeepholesDifferentiateTwice) {
  Values x = inputs_of(GatedCell::Lstm, 3, 4, 3);
  x.push_back(Value::leaf(tensor({3, 3}, 5)));
  const auto outputs = [&] {
    return gated_walk(GatedCell::Lstm, x[0], {.recurrent = x[1], .peephole = x[3]}, x[2], {{4, 1, 3}, false})
        .outputs;
  };
  EXPECT_EQ(gradcheck(outputs, x), "");
  x[3].tensor().fill(0.0);
  expect_near(
      outputs(),
      run(GatedCell::Lstm, {x[0], x[1], x[2]}, {{4, 1, 3}, false}, Steps::Fused).outputs.tensor().values(),
      1e-13, "no peepholes");
}

TEST(Recurrence, PaddingIsNotRead) {
  for (const GatedCell cell : {GatedCell::Lstm, GatedCell::Gru}) {
    if (solvers(test::device()) == nullptr) GTEST_SKIP() << "no fused kernel";
    const Values x = inputs_of(cell, 2, 3, 4);
    const WalkOptions how{{3, 1}, false};
    const std::vector<double> before = run(cell, x, how, Steps::Fused).outputs.tensor().values();
    std::vector<double> numbers = x[0].tensor().values();
    std::fill(numbers.begin() + 4 * x[0].dim(2), numbers.end(), std::numeric_limits<double>::quiet_NaN());
    x[0].tensor().copy_from(Tensor::from(numbers, x[0].shape(), test::f64()));
    EXPECT_EQ(run(cell, x, how, Steps::Fused).outputs.tensor().values(), before);
    for (std::size_t i = 4; i < 12; ++i) EXPECT_EQ(before[12 + i], 0.0);
  }
}

TEST(Recurrence, ThreadsDoNotChangeABit) {
  const int threads = thread_count();
  for (const Case& each : cases(40, 30)) {
    const Values x = inputs_of(each.cell, 40, 30, 40, test::f32());
    std::vector<std::vector<double>> all;
    for (const int count : {1, 2, 3}) {
      set_thread_count(count);
      all.push_back(run(each.cell, x, each.how, Steps::Fused).outputs.tensor().values());
      const Values g = gradients(each, x, Steps::Fused);  // that of U is gemm's
      const std::vector<double> input = g[0].tensor().values(), start = g[2].tensor().values();
      all.back().insert(all.back().end(), input.begin(), input.end());
      all.back().insert(all.back().end(), start.begin(), start.end());
    }
    set_thread_count(threads);
    EXPECT_EQ(all[0], all[1]) << each.name;
    EXPECT_EQ(all[0], all[2]) << each.name;
  }
}

TEST(Recurrence, DevicesWithoutTheKernelsCompose) {
  const WithoutGuardSolvers without;
  const Case each = cases(5, 4).back();
  const Values x = inputs_of(each.cell, 5, 4, 3, {Dtype::F64, Device::Guard});
  EXPECT_EQ(run(each.cell, x, each.how, Steps::Fused).outputs.tensor().values(),
            run(each.cell, x, each.how, Steps::Composed).outputs.tensor().values());
}

TEST(Recurrence, RefusesWhatDoesNotFit) {
  const Values x = inputs_of(GatedCell::Lstm, 3, 4, 3), gru = inputs_of(GatedCell::Gru, 3, 4, 3);
  const auto lstm = [&](const Value& a, const Value& u, const Value& start, const WalkOptions& how = {}) {
    return gated_walk(GatedCell::Lstm, a, {.recurrent = u}, start, how);
  };
  EXPECT_THROW(lstm(x[0], x[1], gru[2]), Error);
  EXPECT_THROW(lstm(x[0], gru[1], x[2]), Error);
  EXPECT_THROW(lstm(gru[0], x[1], x[2]), Error);
  EXPECT_THROW(lstm(x[1], x[1], x[2]), Error);
  EXPECT_THROW(lstm(x[0], x[1], Value()), Error);
  EXPECT_THROW(lstm(x[0], x[1], x[2], {{4, 5, 1}, false}), Error);
  EXPECT_THROW(lstm(x[0], x[1], x[2], {{4, 4}, false}), Error);
  EXPECT_THROW(gated_walk(GatedCell::Gru, gru[0], {.recurrent = gru[1]}, gru[2], {}), Error);
  EXPECT_THROW(lstm(x[0], tensor({3, 12}, 1, 1.0, test::f32()), x[2]), Error);
}

}  // namespace
}  // namespace basin
