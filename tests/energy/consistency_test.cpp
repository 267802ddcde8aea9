#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "density_graphs.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/density/denoising_score_matching.h"
#include "energy/objectives/density/minimum_probability_flow.h"
#include "energy/objectives/density/noise_contrastive.h"
#include "energy/objectives/density/pseudo_likelihood_loss.h"
#include "energy/objectives/density/ratio_matching.h"
#include "energy/objectives/density/score_matching.h"
#include "energy/objectives/density/sliced_score_matching.h"
#include "energy/sample_ops.h"

/// Estimators of a known model's parameters: consistent ones err as N^-1/2.
namespace basin::test {
namespace {

using Numbers = std::vector<double>;

/// A model and how it is sampled.
struct Known {
  DensityGraph made;
  Numbers truth;  // of its parameters
  std::function<State(Index count, Key key)> draw;
};

constexpr std::uint64_t kRepeats = 6;
constexpr std::array<Index, 4> kCounts = {500, 2000, 8000, 32000};

/// All numbers that are trained, the objective's own last, as one vector.
class Point {
 public:
  Point(const FactorGraph& graph, const Objective& objective) : parameters_(graph.parameters()) {
    for (const Parameter& own : objective.parameters()) parameters_.push_back(own);
  }
  void set(const Numbers& theta) {
    auto from = theta.begin();
    for (Parameter& parameter : parameters_) {
      const Index size = parameter.tensor().size();
      parameter.set(numbers(Numbers(from, from + size), parameter.tensor().shape()));
      from += size;
    }
  }
  Numbers gradient(const Evaluation& evaluation) const {
    Numbers all;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const Numbers part = evaluation.gradients.at(i).to_tensor(parameters_[i].tensor().shape()).values();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

 private:
  std::vector<Parameter> parameters_;
};

/// x of A x = b, by Gaussian elimination.
Numbers solve(std::vector<Numbers> a, Numbers b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t best = i;
    for (std::size_t r = i + 1; r < n; ++r) best = std::abs(a[r][i]) > std::abs(a[best][i]) ? r : best;
    std::swap(a[i], a[best]), std::swap(b[i], b[best]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const double f = a[r][i] / a[i][i];
      for (std::size_t c = i; c < n; ++c) a[r][c] -= f * a[i][c];
      b[r] -= f * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= a[i][c] * b[c];
    b[i] /= a[i][i];
  }
  return b;
}

/// Newton's method from the truth, its Hessian by differences on the first thousand samples: steps that are
/// nearly Newton's until the gradient of all of them is 0.
Numbers minimum(const FactorGraph& graph, const Objective& objective, const State& data,
                const Numbers& start) {
  Point point(graph, objective);
  const auto gradient = [&](const Numbers& theta, const State& samples) {
    point.set(theta);
    Carry carry;
    return point.gradient(objective.evaluate(graph, samples, carry, Key(11), {.metrics = false}));
  };
  const State few = first_samples(graph, data, 1000);
  Numbers theta = start, g = gradient(theta, data);
  for (int round = 0; round < 3; ++round) {
    const Numbers here = gradient(theta, few);
    std::vector<Numbers> hessian(theta.size(), Numbers(theta.size()));
    for (std::size_t i = 0; i < theta.size(); ++i) {
      Numbers moved = theta;
      moved[i] += 1e-5;
      const Numbers above = gradient(moved, few);
      for (std::size_t r = 0; r < theta.size(); ++r) hessian[r][i] = (above[r] - here[r]) / 1e-5;
    }
    for (int step = 0; step < 12; ++step) {
      const Numbers move = solve(hessian, g);
      double size = 0.0;
      for (std::size_t i = 0; i < theta.size(); ++i)
        theta[i] -= move[i], size = std::max(size, std::abs(move[i]));
      g = gradient(theta, data);
      if (size < 1e-5) return theta;
    }
  }
  ADD_FAILURE() << objective.name() << " has not converged";
  return theta;
}

struct Errors {
  double slope = 0.0;  // of log error in log N
  double last = 0.0;   // root mean squared error of a parameter at the largest N
};

/// By the mean over parameters of the log of their root mean squared error over repeats, and the line through
/// that at each of kCounts. `own` stands for parameters of the objective in the start; they are not compared.
Errors errors(const Known& known, const Objective& objective, const Numbers& truth, const Numbers& own = {}) {
  Numbers start = known.truth;
  start.insert(start.end(), own.begin(), own.end());
  double sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
  Errors found;
  for (const Index count : kCounts) {
    Numbers squares(truth.size(), 0.0);
    for (std::uint64_t r = 0; r < kRepeats; ++r) {
      const State data = known.draw(count, Key(21).fold(r).fold(static_cast<std::uint64_t>(count)));
      const Numbers theta = minimum(known.made.graph, objective, data, start);
      for (std::size_t i = 0; i < truth.size(); ++i)
        squares[i] += std::pow(theta[i] - truth[i], 2) / kRepeats;
    }
    const auto parameters = static_cast<double>(truth.size());
    double total = 0.0, logs = 0.0;
    for (const double square : squares) total += square, logs += 0.4 * std::log(square) / parameters;
    found.last = std::sqrt(total / parameters);
    const double x = std::log(static_cast<double>(count));
    sx += x, sy += logs, sxx += x * x, sxy += x * logs;
  }
  constexpr double kPoints = kCounts.size();
  found.slope = (kPoints * sxy - sx * sy) / (kPoints * sxx - sx * sx);
  return found;
}

/// The log of a root mean square over 6 repeats errs by about 1 / sqrt(12) = 0.29; the mean of those of five
/// parameters that are half one another's by 0.2, and the slope over a range of 64 in N by 0.32 of that: 0.15
/// is more than two standard errors, and far from 0 and from -1.
constexpr double kSlopeTolerance = 0.15;

void expect_consistent(const Known& known, const Objective& objective, double most, const Numbers& own = {}) {
  const Errors found = errors(known, objective, known.truth, own);
  EXPECT_NEAR(found.slope, -0.5, kSlopeTolerance) << objective.name();
  EXPECT_LT(found.last, most) << objective.name();
  testing::Test::RecordProperty("slope_" + objective.name(), std::to_string(found.slope));
}

/// A Boltzmann machine of four bits that see each other, sampled by enumeration.
Known boltzmann() {
  Known known{.made = pairwise(Domain::Binary, 4), .truth = {}, .draw = {}};
  randomise(known.made.graph, Key(31), 0.5);
  known.truth = known.made.graph.parameters().front().tensor().values();
  const Distribution all = distribution(known.made.graph, {known.made.x});
  const Variable x = known.made.x;
  known.draw = [x, states = all.states[x].tensor().values(), weight = all.weight](Index count, Key key) {
    Numbers rows;
    for (double u : uniform(key, {count}, {Dtype::F64, Device::Cpu}).values()) {
      std::size_t s = 0;
      while (s + 1 < weight.size() && u >= weight[s]) u -= weight[s++];
      rows.insert(rows.end(), states.begin() + static_cast<std::ptrdiff_t>(4 * s),
                  states.begin() + static_cast<std::ptrdiff_t>(4 * s + 4));
    }
    return State().set(x, numbers(rows, {count, 4}));
  };
  return known;
}

/// theta of a Gaussian of the plane: log p = theta . (x, y, x^2, x y, y^2).
Numbers natural(double mx, double my, double vx, double vy, double c) {
  const double det = vx * vy - c * c, px = vy / det, py = vx / det, pc = -c / det;
  return {px * mx + pc * my, pc * mx + py * my, -0.5 * px, -pc, -0.5 * py};
}

constexpr double kMx = 0.5, kMy = -1.0, kVx = 1.0, kVy = 0.6, kC = 0.4;

double log_partition_of_gaussian() {
  const Numbers t = natural(kMx, kMy, kVx, kVy, kC);
  return std::log(2.0 * M_PI) + 0.4 * std::log(kVx * kVy - kC * kC) + 0.5 * (t[0] * kMx + t[1] * kMy);
}

Known gaussian() {
  Known known{.made = pairwise(Domain::Real, 2), .truth = natural(kMx, kMy, kVx, kVy, kC), .draw = {}};
  known.draw = [x = known.made.x](Index count, Key key) {
    Numbers rows = normal(key, {count, 2}, {Dtype::F64, Device::Cpu}).values();
    const double a = std::sqrt(kVx), b = kC / a, d = std::sqrt(kVy - b * b);
    for (std::size_t n = 0; n < rows.size(); n += 2) {
      const double u = rows[n], v = rows[n + 1];
      rows[n] = kMx + a * u, rows[n + 1] = kMy + b * u + d * v;
    }
    return State().set(x, numbers(rows, {count, 2}));
  };
  return known;
}

class ConsistencyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (is_guarded()) GTEST_SKIP() << "trains; gradients are tested on every device";
  }
};

TEST_F(ConsistencyTest, EstimatorsOfBitsErrAsOneOverTheRootOfN) {
  const Known known = boltzmann();
  const Block x{known.made.x};
  expect_consistent(known, ExactLikelihood(x), 0.06);
  expect_consistent(known, PseudoLikelihoodLoss(x), 0.06);
  expect_consistent(known, RatioMatching(x), 0.06);
  expect_consistent(known, MinimumProbabilityFlow(x), 0.06);
}

TEST_F(ConsistencyTest, NoiseContrastiveEstimationFindsBitsAndLogZ) {
  const Known known = boltzmann();
  const double log_z = distribution(known.made.graph, {known.made.x}).log_total;
  FactorGraph noise = independent_density(known.made.graph, {known.made.x});
  noise.to(f64());
  fit_independent(noise, {known.made.x}, known.draw(4000, Key(41)));
  const NoiseContrastive objective(std::make_shared<GraphDensity>(noise, Block{known.made.x}),
                                   {.noise_samples = 2, .placement = f64()});
  expect_consistent(known, objective, 0.08, {log_z});
  const State data = known.draw(16000, Key(42));
  Numbers start = known.truth;
  start.push_back(log_z);
  EXPECT_NEAR(minimum(known.made.graph, objective, data, start).back(), log_z, 0.1);
}

TEST_F(ConsistencyTest, EstimatorsOfAGaussianErrAsOneOverTheRootOfN) {
  const Known known = gaussian();
  const Block x{known.made.x};
  expect_consistent(known, ScoreMatching(x), 0.05);
  expect_consistent(known, SlicedScoreMatching(x), 0.05);
  expect_consistent(known, SlicedScoreMatching(x, {.square = SlicedSquare::Projected}), 0.08);
  FactorGraph noise = independent_density(known.made.graph, x);
  noise.to(f64());
  fit_independent(noise, x, known.draw(4000, Key(41)));
  expect_consistent(known, NoiseContrastive(std::make_shared<GraphDensity>(noise, x), {.placement = f64()}),
                    0.08, {log_partition_of_gaussian()});
}

/// Denoising finds the data smoothed: variance s^2 + sigma^2. That converges; to the data itself it does not.
TEST_F(ConsistencyTest, DenoisingFindsTheSmoothedDensity) {
  const Known known = gaussian();
  constexpr double kNoise = 0.5, kAdded = kNoise * kNoise;
  const DenoisingScoreMatching objective({known.made.x}, {.noise = kNoise});
  const Numbers smoothed = natural(kMx, kMy, kVx + kAdded, kVy + kAdded, kC);
  const Errors to_smoothed = errors(known, objective, smoothed),
               to_data = errors(known, objective, known.truth);
  EXPECT_NEAR(to_smoothed.slope, -0.5, kSlopeTolerance);
  EXPECT_LT(to_smoothed.last, 0.05);
  EXPECT_GT(to_data.slope, -0.1);
  EXPECT_GT(to_data.last, 0.2);
}

}  // namespace
}  // namespace basin::test
