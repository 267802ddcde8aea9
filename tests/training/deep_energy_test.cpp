#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/sample/continuous/langevin.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "tensor/random.h"
#include "training/fit.h"
#include "training/optimizers/adam.h"

namespace basin::test {
namespace {

/// Three round Gaussians in the plane, of standard deviation 0.5.
struct Mixture {
  static constexpr double kSpread = 0.5;
  static constexpr double kMeans[3][2] = {{1.5, 0.0}, {-0.75, 1.3}, {-0.75, -1.3}};
  static constexpr double kShares[3] = {0.5, 0.3, 0.2};

  static double log_density(double x, double y) {
    double p = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double a = (x - kMeans[k][0]) / kSpread, b = (y - kMeans[k][1]) / kSpread;
      p += kShares[k] * std::exp(-0.5 * (a * a + b * b)) / (2.0 * std::numbers::pi * kSpread * kSpread);
    }
    return std::log(p);
  }

  static Tensor samples(Index count, Key key) {
    const std::vector<double> u = uniform(key.fold("component"), {count}).values(),
                              n = normal(key.fold("place"), {count, 2}).values();
    std::vector<double> values;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const std::size_t k = u[i] < kShares[0] ? 0 : u[i] < kShares[0] + kShares[1] ? 1 : 2;
      for (std::size_t d = 0; d < 2; ++d) values.push_back(kMeans[k][d] + kSpread * n[2 * i + d]);
    }
    return Tensor::from(values, {count, 2});
  }
};

// An energy by a network, learnt from 2,000 samples by persistent Langevin chains. log Z and KL(data ||
// model) by a grid.
TEST(DeepEnergyTest, ANetworkLearnsAMixtureInThePlane) {
  if (test::is_guarded()) GTEST_SKIP() << "a whole training takes minutes on guarded pages";
  FactorGraph ebm;
  const Variable x = ebm.real("x", {2});
  const auto tanh = Activation(Activation::Kind::Tanh);
  ebm.add(Network(Sequential()
                      .add(Linear(2, 32, Key(3)))
                      .add(tanh)
                      .add(Linear(32, 32, Key(4)))
                      .add(tanh)
                      .add(Linear(32, 1, Key(5))),
                  {x}));
  ebm.add(
      Quadratic(x, {.precision = Precision::Fixed, .log_precision = std::log(0.25)}));  // keeps chains near
  ebm.to(f32());
  fit(ebm, Contrast({x}, Chains(Langevin({x}, {.step = 0.05}), {.steps = 20, .persistent = 500})),
      Mixture::samples(2000, Key(1)), Adam({.learning_rate = Schedule::linear(0.01, 2e-4)}),
      {.epochs = 60, .batch = 200, .key = Key(6)});

  constexpr int kPoints = 161;
  constexpr double kEdge = 4.0, kCell = 2.0 * kEdge / (kPoints - 1);
  std::vector<double> points;
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < kPoints; ++j) {
      points.push_back(kCell * j - kEdge);
      points.push_back(kCell * i - kEdge);
    }
  }
  const std::vector<double> energy =
      ebm.energy(State().set(x, Tensor::from(points, {kPoints * kPoints, 2}, f32()))).tensor().values();
  double z = 0.0, divergence = 0.0, mass = 0.0;
  for (const double e : energy) z += std::exp(-e) * kCell * kCell;
  for (std::size_t i = 0; i < energy.size(); ++i) {
    const double log_p = Mixture::log_density(points[2 * i], points[2 * i + 1]);
    divergence += std::exp(log_p) * (log_p + energy[i] + std::log(z)) * kCell * kCell;
    mass += std::exp(log_p) * kCell * kCell;
  }
  EXPECT_NEAR(mass, 1.0, 1e-3);
  EXPECT_LE(divergence, 0.1);
}

}  // namespace
}  // namespace basin::test
