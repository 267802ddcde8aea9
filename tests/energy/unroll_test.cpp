#include "energy/minimise/unroll/unroll.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr double kLambda = 0.3;

/// Sparse coding of y (2 x 3) by twelve codes, all parameters random: E = 1/2 |y - z D - b|^2 + lambda |z|_1.
struct UnrollTest : testing::Test {
  FactorGraph graph;
  Variable y, z;
  Tensor at_y = normal(Key(3), {5, 2, 3}, f64());

  void build(bool bias = false, Domain domain = Domain::Real) {
    graph = FactorGraph();
    y = graph.real("y", {2, 3});
    z = graph.variable("z", domain, {12});
    graph.add(SquaredError(y, Linear(12, 6, Key(1), {.bias = bias}), z)).add(L1(z, kLambda));
    randomise(graph, Key(2), 0.5);
  }
  UnrollTest() { build(); }

  State start() const { return State().set(y, at_y).set(z, Tensor::zeros({5, 12}, f64())); }

  /// The codes of a network against those of the transition after every move.
  void expect_same_codes(const Unrolled& net, const Transition& transition, double tolerance = 1e-12) const {
    const std::vector<Value> codes = net.codes(Value(at_y));
    State state = start();
    for (std::size_t k = 0; k < codes.size(); ++k) {
      state = transition(graph, state, Key(0).fold("unroll").fold(k));
      const std::vector<double> expected = state[z].tensor().values(), found = codes[k].tensor().values();
      for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], tolerance) << "move " << k << ", " << i;
    }
    EXPECT_EQ(net.forward(Value(at_y)).tensor().values(), codes.back().tensor().values());
  }

  std::vector<Value> leaves(const Unrolled& net) const {
    std::vector<Value> result;
    for (const Parameter& parameter : net.parameters()) result.push_back(parameter.value());
    return result;
  }
};

TEST_F(UnrollTest, BeforeTrainingItIsIsta) {
  for (const bool bias : {false, true}) {
    for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
      build(bias, domain);
      for (const Sharing sharing : {Sharing::Untied, Sharing::Tied, Sharing::Graph}) {
        for (const bool coupled : {false, true}) {
          for (const bool per_unit : {false, true}) {
            const Ista ista(z, {.step = 0.05});
            const UnrollOptions options{
                .steps = 6, .sharing = sharing, .threshold_per_unit = per_unit, .coupled = coupled};
            expect_same_codes(unroll(graph, ista, y, z, options), ista);
          }
        }
      }
    }
  }
}

TEST_F(UnrollTest, ItsStepIsThatOfIsta) {
  expect_same_codes(unroll(graph, Ista(z), y, z, {.steps = 4}), Ista(z),
                    1e-6);  // the power method starts from other points
}

TEST_F(UnrollTest, AnAffinePredictionTermBelongsToTheEnergy) {
  FactorGraph flat;  // the encoder takes rows: y as a vector
  y = flat.real("y", {6});
  z = flat.real("z", {12});
  flat.add(SquaredError(y, Linear(12, 6, Key(1)), z)).add(L1(z, kLambda), 0.5);
  flat.add(SquaredError(z, Linear(6, 12, Key(5)), y, {.weight = 0.7}));
  randomise(flat, Key(2), 0.5);
  graph = flat;
  at_y = normal(Key(3), {5, 6}, f64());
  const Ista ista(z, {.step = 0.05});
  expect_same_codes(unroll(graph, ista, y, z, {.steps = 5}), ista);
  EXPECT_NE(error_of([&] {
              unroll(graph, ista, y, z, {.coupled = true});
            }).find("[unroll] expected a single squared error"),
            std::string::npos);
}

TEST_F(UnrollTest, BeforeTrainingItIsCoordinateDescent) {
  for (const bool bias : {false, true}) {
    for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
      build(bias, domain);
      for (const Sharing sharing : {Sharing::Untied, Sharing::Tied}) {
        for (const bool coupled : {false, true}) {
          const UnrollOptions options{
              .steps = 9, .sharing = sharing, .coupled = coupled, .last_shrink = LastShrink::Off};
          expect_same_codes(unroll(graph, CoordinateDescent(z), y, z, options), CoordinateDescent(z));
        }
      }
    }
  }
}

/// Algorithm 2 of Gregor and LeCun 2010, for a dictionary of rows that have norm 1, one sample.
std::vector<double> coordinate_descent(const std::vector<double>& d, const std::vector<double>& x,
                                       std::size_t n, std::size_t moves) {
  const std::size_t m = x.size();
  const auto shrunk = [](double v) { return v > kLambda ? v - kLambda : (v < -kLambda ? v + kLambda : 0.0); };
  const auto dot = [&](std::size_t a, std::size_t b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < m; ++i) sum += d[a * m + i] * d[b * m + i];
    return sum;
  };
  std::vector<double> b(n, 0.0), code(n, 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < m; ++i) b[j] += d[j * m + i] * x[i];
  }
  for (std::size_t move = 0; move < moves; ++move) {
    std::size_t best = 0;
    for (std::size_t j = 1; j < n; ++j) {
      if (std::abs(shrunk(b[j]) - code[j]) > std::abs(shrunk(b[best]) - code[best])) best = j;
    }
    const double change = shrunk(b[best]) - code[best];
    code[best] += change;
    for (std::size_t j = 0; j < n; ++j) b[j] += ((j == best ? 1.0 : 0.0) - dot(j, best)) * change;
  }
  for (double& v : b) v = shrunk(v);
  return b;
}

TEST_F(UnrollTest, TheLastShrinkMovesAllUnits) {
  const Parameter weight = graph.parameters()[0];
  const Value rows = weight.value().detached();
  weight.tensor().copy_from((rows / sqrt(sum(square(rows), {1}, {.keep = true}))).tensor());
  const Unrolled net = unroll(graph, CoordinateDescent(z), y, z, {.steps = 7, .sharing = Sharing::Tied});
  ASSERT_EQ(net.parameters()[2].name(), "0.threshold");
  EXPECT_EQ(net.parameters()[2].tensor().shape(), Shape{1}) << "one threshold, since all columns have norm 1";
  const std::vector<double> d = weight.tensor().values(), all = at_y.values();
  const std::vector<Value> codes = net.codes(Value(at_y));
  for (std::size_t k = 0; k < codes.size(); ++k) {
    const std::vector<double> found = codes[k].tensor().values();
    for (std::size_t s = 0; s < 5; ++s) {
      const std::vector<double> x(all.begin() + static_cast<long>(6 * s),
                                  all.begin() + static_cast<long>(6 * s + 6));
      const std::vector<double> expected = coordinate_descent(d, x, 12, k + 1);
      for (std::size_t i = 0; i < 12; ++i)
        ASSERT_NEAR(found[12 * s + i], expected[i], 1e-12) << k << ", " << s << ", " << i;
    }
  }
}

TEST_F(UnrollTest, UnitsThatHaveMovedPassTheLastShrinkUnshrunk) {
  const auto codes = [&](LastShrink last_shrink) {
    return unroll(graph, CoordinateDescent(z), y, z,
                  {.steps = 4, .sharing = Sharing::Tied, .last_shrink = last_shrink})
        .codes(Value(at_y));
  };
  const auto values = [](const Value& code) { return code.tensor().values(); };
  const std::vector<Value> before = codes(LastShrink::Off), all = codes(LastShrink::All),
                           found = codes(LastShrink::Unmoved);
  const Unrolled net = unroll(graph, CoordinateDescent(z), y, z, {.steps = 1});
  ASSERT_EQ(net.parameters()[4].name(), "0.last_threshold");
  const std::vector<double> thresholds = net.parameters()[4].tensor().values();
  ASSERT_EQ(thresholds.size(), 12U) << "lambda / diag H, and columns of many norms";
  for (std::size_t k = 0; k < 4; ++k) {
    int moved = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      if (values(before[k])[i] == 0.0) {
        EXPECT_EQ(values(found[k])[i], values(all[k])[i]);
      } else if (values(all[k])[i] != 0.0) {
        // Both are of one b, with the threshold and without.
        EXPECT_NEAR(std::abs(values(found[k])[i]), std::abs(values(all[k])[i]) + thresholds[i % 12], 1e-12)
            << k << ", " << i;
        ++moved;
      }
    }
    EXPECT_GE(moved, 1) << k;
  }
}

TEST_F(UnrollTest, EveryParameterAndTheInputDifferentiate) {
  const Value input = Value::leaf(at_y);
  const auto check = [&](const Unrolled& net, std::size_t parameters) {
    std::vector<Value> at = leaves(net);
    EXPECT_EQ(at.size(), parameters);
    at.push_back(input);
    // Pieces of planes: the second derivative by one parameter is 0, that by two is not.
    EXPECT_EQ(gradcheck([&] { return net.forward(input); }, at), "");
  };
  const auto ista = [&](const UnrollOptions& options) {
    return unroll(graph, Ista(z, {.step = 0.1}), y, z, options);
  };
  check(ista({.steps = 3}), 8);  // encoder and threshold of each, S of the second and third
  check(ista({.steps = 3, .sharing = Sharing::Tied, .threshold_per_unit = true}), 5);
  check(ista({.steps = 3, .coupled = true}), 6);
  check(ista({.steps = 3, .sharing = Sharing::Tied, .coupled = true}), 7);
  check(ista({.steps = 3, .select = 0.1}), 8);
  check(ista({.steps = 3, .inhibition = 0.3}), 8);
  check(ista({.steps = 3, .sharing = Sharing::Graph}), 1);
  check(unroll(graph, Fista(z, {.step = 0.1}), y, z, {.steps = 4, .sharing = Sharing::Graph}), 1);
  const auto descent = [&](const UnrollOptions& options) {
    return unroll(graph, CoordinateDescent(z), y, z, options);
  };
  check(descent({.steps = 3, .sharing = Sharing::Tied}),
        14);  // We, S; two thresholds and two gains of each move
  check(descent({.steps = 3, .sharing = Sharing::Tied, .coupled = true, .last_shrink = LastShrink::Unmoved}),
        13);
  check(descent({.steps = 3, .last_shrink = LastShrink::Off}), 10);
  check(descent({.steps = 3, .coupled = true, .last_shrink = LastShrink::Off}), 10);
}

TEST_F(UnrollTest, SupportSelectionLeavesTheLargestUnshrunk) {
  const double step = 0.1;
  const Unrolled net =
      unroll(graph, Ista(z, {.step = step}), y, z, {.steps = 2, .select = 0.1, .select_at_most = 0.17});
  // floor(0.1 * 12) = 1 unit in the first move, floor(0.17 * 12) = 2 in the second.
  const std::vector<Value> codes = net.codes(Value(at_y));
  const Value encoder = net.parameters()[0].value(), inhibition = net.parameters()[3].value();
  ASSERT_EQ(net.parameters()[3].name(), "1.inhibition");
  const Value drive = matmul(flatten(Value(at_y)), encoder);
  const Value inputs[] = {drive, drive + matmul(codes[0], inhibition)};
  for (std::size_t k = 0; k < 2; ++k) {
    const std::vector<double> x = inputs[k].tensor().values(), found = codes[k].tensor().values();
    for (std::size_t s = 0; s < 5; ++s) {
      std::vector<double> sizes;
      for (std::size_t i = 0; i < 12; ++i) sizes.push_back(std::abs(x[12 * s + i]));
      std::sort(sizes.rbegin(), sizes.rend());
      for (std::size_t i = 0; i < 12; ++i) {
        const double v = x[12 * s + i], theta = step * kLambda;
        double expected = 0.0;
        if (std::abs(v) > theta) expected = std::abs(v) >= sizes[k] ? v : v - std::copysign(theta, v);
        ASSERT_NEAR(found[12 * s + i], expected, 1e-12) << k << ", " << s << ", " << i;
      }
    }
  }
}

TEST_F(UnrollTest, PartialInhibitionKeepsTheLargestOfEachRow) {
  const Unrolled full = unroll(graph, Ista(z), y, z, {.steps = 2});
  const Unrolled net = unroll(graph, Ista(z), y, z, {.steps = 2, .inhibition = 0.27});  // 3 of 11
  const std::vector<double> all = full.parameters()[3].tensor().values(),
                            kept = net.parameters()[3].tensor().values();
  const Value loss = sum(square(net.forward(Value(at_y))));
  const std::vector<double> slope =
      grad(loss, std::vector<Value>{net.parameters()[3].value()})[0].tensor().values();
  bool moves = false;
  for (std::size_t row = 0; row < 12; ++row) {
    std::vector<double> sizes;
    for (std::size_t j = 0; j < 12; ++j) {
      if (j != row) sizes.push_back(std::abs(all[12 * row + j]));
    }
    std::sort(sizes.rbegin(), sizes.rend());
    for (std::size_t j = 0; j < 12; ++j) {
      const std::size_t at = 12 * row + j;
      const bool stays = j == row || std::abs(all[at]) >= sizes[2];
      EXPECT_EQ(kept[at], stays ? all[at] : 0.0) << row << ", " << j;
      if (!stays) {
        EXPECT_EQ(slope[at], 0.0) << "it must stay 0 in training";
      }
      moves = moves || slope[at] != 0.0;
    }
  }
  EXPECT_TRUE(moves);
}

TEST_F(UnrollTest, TheFirstMovesAreANetworkOfTheirOwn) {
  const Unrolled net = unroll(graph, Ista(z), y, z, {.steps = 5});
  EXPECT_EQ(net.first(2).forward(Value(at_y)).tensor().values(), net.codes(Value(at_y))[1].tensor().values());
  EXPECT_EQ(net.first(2).steps(), 2);
  EXPECT_EQ(error_of([&] { net.first(6); }), "[unroll] expected 1 to 5 layers, received 6");
}

TEST_F(UnrollTest, TrainingBeatsIstaOfEqualDepth) {
  // Targets: codes after many moves. A hundred steps of gradient descent must get four moves nearer to them
  // than ISTA's.
  State state = start();
  for (std::uint64_t k = 0; k < 400; ++k) state = Ista(z)(graph, state, Key(k));
  const Value target = state[z].detached();
  const Unrolled net = unroll(graph, Ista(z), y, z, {.steps = 4});
  const auto error = [&] { return mean(square(net.forward(Value(at_y)) - target)); };
  const double before = error().item();
  for (int step = 0; step < 100; ++step) {
    const std::vector<Value> slopes = grad(error(), leaves(net));
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      Parameter parameter = net.parameters()[i];
      parameter.set((parameter.value().detached() - 0.3 * slopes[i]).tensor());
    }
  }
  EXPECT_LT(error().item(), 0.2 * before);
}

TEST_F(UnrollTest, Errors) {
  const Ista ista(z);
  const auto error = [&](const FactorGraph& on, const UnrollOptions& options) {
    return error_of([&] { unroll(on, ista, y, z, options); });
  };
  EXPECT_EQ(error(graph, {.steps = 0}), "[unroll] expected steps >= 1, received 0");
  EXPECT_TRUE(contains(error(graph, {.select = 1.5}), "[unroll] expected fractions"));
  EXPECT_TRUE(contains(error(graph, {.coupled = true, .inhibition = 0.5}), "received both"));
  EXPECT_TRUE(contains(error(graph, {.last_shrink = LastShrink::Off}), "is for CoordinateDescent"));
  EXPECT_TRUE(contains(error(FactorGraph(), {}), "variable y is not of this graph"));
  EXPECT_TRUE(contains(error_of([&] { unroll(graph, ista, z, z); }), "expected two variables"));
  EXPECT_TRUE(contains(error_of([&] { unroll(graph, Fista(z), y, z); }), "Sharing::Graph"));
  EXPECT_TRUE(contains(error_of([&] { unroll(graph, CoordinateDescent(z), y, z, {.select = 0.1}); }),
                       "are for Ista"));
  EXPECT_TRUE(contains(error_of([&] {
                         unroll(graph, ista, y, z).forward(Value(Tensor::zeros({5, 7}, f64())));
                       }),
                       "received [5, 7]"));

  for (const Parameter& parameter : graph.parameters()) parameter.tensor().fill(0.0);
  EXPECT_TRUE(contains(error_of([&] { unroll(graph, ista, y, z); }), "fixed step"));

  FactorGraph curved;  // a decoder that is not affine
  y = curved.real("y", {6});
  z = curved.real("z", {12});
  curved
      .add(
          SquaredError(y, Sequential().add(Linear(12, 6, Key(1))).add(Activation(Activation::Kind::Tanh)), z))
      .add(L1(z, kLambda));
  randomise(curved, Key(2));
  EXPECT_TRUE(contains(error_of([&] { unroll(curved, Ista(z, {.step = 0.1}), y, z); }), "quadratic in z"));
  at_y = normal(Key(3), {5, 6}, f64());
  graph = curved;
  expect_same_codes(unroll(curved, Ista(z, {.step = 0.1}), y, z, {.steps = 3, .sharing = Sharing::Graph}),
                    Ista(z, {.step = 0.1}));
}

}  // namespace
}  // namespace basin::test
