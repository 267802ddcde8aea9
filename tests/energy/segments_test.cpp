#include "energy/factors/sequences/segments.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/marginals.h"
#include "energy/eliminate/sample_eliminated.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "gradients.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Index kCuts = 5, kLongest = 3, kMost = 3, kLabels = 2, kStride = 2;

/// One way to cut and label a sequence.
struct Path {
  double score = 0.0;
  std::vector<double> y, z;  // [L, K + 1], [T, D]
};

/// All of them by plain recursion, with a bias of each y and z.
std::vector<Path> all_paths(Index stretches, const std::function<double(Index, Index, Index)>& s,
                            const std::vector<double>& y_bias, const std::vector<double>& z_bias) {
  std::vector<Path> found;
  const std::function<void(Index, Index, Path)> go = [&](Index at, Index n, Path path) {
    if (at == stretches) {
      for (Index l = n; l < kMost; ++l) {
        const auto i = static_cast<std::size_t>(l * (kLabels + 1) + kLabels);
        path.y[i] = 1.0;
        path.score += y_bias[i];
      }
      found.push_back(path);
      return;
    }
    if (n == kMost) return;
    for (Index d = 1; d <= std::min(kLongest, stretches - at); ++d) {
      for (Index k = 0; k < kLabels; ++k) {
        Path next = path;
        const auto i = static_cast<std::size_t>(n * (kLabels + 1) + k),
                   j = static_cast<std::size_t>((at + d - 1) * kLongest + d - 1);
        next.y[i] = next.z[j] = 1.0;
        next.score += s(at + d - 1, d - 1, k) + y_bias[i] + z_bias[j];
        go(at + d, n + 1, next);
      }
    }
  };
  Path none;
  none.y.assign(kMost * (kLabels + 1), 0.0);
  none.z.assign(kCuts * kLongest, 0.0);
  go(0, 0, none);
  return found;
}

/// log of the sum of exp(score) over those that are kept, and the best of them.
struct Summary {
  double log_total = -INFINITY;
  const Path* best = nullptr;
};

Summary summary(const std::vector<Path>& paths, const std::function<bool(const Path&)>& keep) {
  Summary all;
  double top = -INFINITY, total = 0.0;
  for (const Path& path : paths) {
    if (!keep(path) || path.score <= top) continue;
    top = path.score;
    all.best = &path;
  }
  for (const Path& path : paths) {
    if (keep(path)) total += std::exp(path.score - top);
  }
  all.log_total = top + std::log(total);
  return all;
}

bool any(const Path&) { return true; }

/// Three sequences of 5, 3 and 1 stretches (9, 6 and 1 columns), scores of a module, and biases beside them.
struct SegmentCaseGraph {
  SegmentCaseGraph() {
    graph.add(Segments(y, z, Linear(4, kCuts * kLongest * kLabels, Key(1)), x, {.stride = kStride}))
        .add(Bias(y))
        .add(Bias(z), 0.5);
    randomise(graph, Key(2));
    Context context;
    context.lengths = Tensor::from(std::vector<double>{9.0, 6.0, 1.0}, {3}, {Dtype::F64, Device::Cpu});
    rest = State().in(context).set(x, data);
    const Tensor made = matmul(data, graph.parameter("x.y.weight").value()).tensor();
    const std::vector<double> product = made.values(), bias = graph.parameter("x.y.bias").tensor().values();
    std::vector<double> z_bias = graph.parameter("z.bias").tensor().values();
    for (double& number : z_bias) number *= 0.5;
    for (std::size_t n = 0; n < 3; ++n) {
      const auto score = [&](Index t, Index d, Index k) {
        const auto i = static_cast<std::size_t>((t * kLongest + d) * kLabels + k);
        return product[n * bias.size() + i] + bias[i];
      };
      paths.push_back(all_paths(std::array<Index, 3>{5, 3, 1}[n], score,
                                graph.parameter("y.bias").tensor().values(), z_bias));
    }
  }
  State with(const Variable& variable, const std::vector<Path>& chosen) const {
    std::vector<double> values;
    for (const Path& path : chosen) {
      const std::vector<double>& own = variable == y ? path.y : path.z;
      values.insert(values.end(), own.begin(), own.end());
    }
    return rest.with(variable, numbers(values, batched(variable, 3)));
  }
  FactorGraph graph;
  Variable y = graph.categorical("y", {kMost, kLabels + 1}), z = graph.binary("z", {kCuts, kLongest}),
           x = graph.real("x", {4});
  Tensor data = normal(Key(3), {3, 4}, f64());
  State rest;
  std::vector<std::vector<Path>> paths;
};

TEST(SegmentsTest, EverythingEqualsAllSegmentations) {
  const SegmentCaseGraph given;
  const std::vector<double> free = free_energy(given.graph, {given.y, given.z}, given.rest).tensor().values(),
                            low = min_energy(given.graph, {given.z, given.y}, given.rest).tensor().values();
  const std::vector<Value> means = marginals(given.graph, {given.y, given.z}, given.rest);
  const State best = most_probable(given.graph, {given.y, given.z}, given.rest);
  EXPECT_GT(given.paths[0].size(), 30u);
  for (std::size_t n = 0; n < 3; ++n) {
    const Summary all = summary(given.paths[n], any);
    EXPECT_NEAR(free[n], -all.log_total, 1e-10);
    EXPECT_NEAR(low[n], -all.best->score, 1e-10);
    const auto row = static_cast<Index>(n);
    EXPECT_EQ(best[given.y].tensor().rows(row, row + 1).values(), all.best->y);
    EXPECT_EQ(best[given.z].tensor().rows(row, row + 1).values(), all.best->z);
    std::vector<double> y(all.best->y.size(), 0.0), z(all.best->z.size(), 0.0);
    for (const Path& path : given.paths[n]) {
      const double p = std::exp(path.score - all.log_total);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] += p * path.y[i];
      for (std::size_t i = 0; i < z.size(); ++i) z[i] += p * path.z[i];
    }
    for (std::size_t i = 0; i < y.size(); ++i)
      EXPECT_NEAR(means[0].tensor().values()[n * y.size() + i], y[i], 1e-10);
    for (std::size_t i = 0; i < z.size(); ++i)
      EXPECT_NEAR(means[1].tensor().values()[n * z.size() + i], z[i], 1e-10);
  }
}

TEST(SegmentsTest, TheEnergyIsTheScoreAndInfiniteElsewhere) {
  const SegmentCaseGraph given;
  const std::vector<Path> first = {given.paths[0][3], given.paths[1][2], given.paths[2][1]};
  State state = given.with(given.y, first);
  state.set(given.z, given.with(given.z, first)[given.z]);
  const std::vector<double> energy = given.graph.energy(state).tensor().values();
  for (std::size_t n = 0; n < 3; ++n) EXPECT_NEAR(energy[n], -first[n].score, 1e-10);
  // A segment more or less than what covers the sequence, and labels that are not as many as the segments.
  std::vector<double> holes = state[given.z].tensor().values();
  holes[0] = 1.0 - holes[0];
  EXPECT_EQ(
      given.graph.energy(state.with(given.z, numbers(holes, {3, kCuts, kLongest}))).tensor().values()[0],
      INFINITY);
  std::vector<double> labels = state[given.y].tensor().values();
  const std::size_t last = kMost * (kLabels + 1) - 1;
  std::swap(labels[last], labels[last - 1]);
  EXPECT_EQ(
      given.graph.energy(state.with(given.y, numbers(labels, {3, kMost, kLabels + 1}))).tensor().values()[0],
      INFINITY);
  // All values of y and z together sum to F, whatever is infinite among them.
  const Distribution all =
      distribution(given.graph, {given.y},
                   State()
                       .set(given.x, given.data.rows(0, 1))
                       .set(given.z, numbers(given.paths[0][3].z, {1, kCuts, kLongest})));
  const auto with_z = [&](const Path& path) { return path.z == given.paths[0][3].z; };
  EXPECT_NEAR(all.log_total, summary(given.paths[0], with_z).log_total, 1e-10);
}

TEST(SegmentsTest, LabelsOrCutsThatAreGiven) {
  const SegmentCaseGraph given;
  const std::vector<Path> chosen = {given.paths[0][7], given.paths[1][4], given.paths[2][1]};
  const std::vector<double>
      cuts = free_energy(given.graph, {given.z}, given.with(given.y, chosen)).tensor().values(),
      best_cuts = min_energy(given.graph, {given.z}, given.with(given.y, chosen)).tensor().values(),
      labels = free_energy(given.graph, {given.y}, given.with(given.z, chosen)).tensor().values();
  for (std::size_t n = 0; n < 3; ++n) {
    const Summary of_y = summary(given.paths[n], [&](const Path&path) { return path.y == chosen[n].y; }),
                  of_z = summary(given.paths[n], [&](const Path&path) { return path.z == chosen[n].z; });
    EXPECT_NEAR(cuts[n], -of_y.log_total, 1e-10);
    EXPECT_NEAR(best_cuts[n], -of_y.best->score, 1e-10);
    EXPECT_NEAR(labels[n], -of_z.log_total, 1e-10);
  }
}

TEST(SegmentsTest, DrawsFollowTheDistribution) {
  const SegmentCaseGraph given;
  constexpr Index kDraws = 20000;
  for (const bool labelled : {false, true}) {
    Context context;
    context.lengths = Tensor::full({kDraws}, 9.0, {Dtype::F64, Device::Cpu});
    State state = State().in(context).set(given.x, repeated(given.data.rows(0, 1).values(), given.x, kDraws));
    const Path& chosen = given.paths[0][7];
    if (labelled) state.set(given.y, repeated(chosen.y, given.y, kDraws));
    const Block latents = labelled ? Block{given.z} : Block{given.y, given.z};
    const State drawn = sample_eliminated(given.graph, latents, state, Key(5));
    const auto kept = [&](const Path& path) { return !labelled || path.y == chosen.y; };
    const double total = summary(given.paths[0], kept).log_total;
    std::map<std::vector<double>, double> counts;
    const std::vector<double> y = labelled ? std::vector<double>() : drawn[given.y].tensor().values(),
                              z = drawn[given.z].tensor().values();
    for (std::size_t d = 0; d < kDraws; ++d) {
      std::vector<double> code(z.begin() + static_cast<std::ptrdiff_t>(d * kCuts * kLongest),
                               z.begin() + static_cast<std::ptrdiff_t>((d + 1) * kCuts * kLongest));
      const std::size_t size = kMost * (kLabels + 1);
      if (labelled) {
        code.insert(code.end(), chosen.y.begin(), chosen.y.end());
      } else {
        code.insert(code.end(), y.begin() + static_cast<std::ptrdiff_t>(d * size),
                    y.begin() + static_cast<std::ptrdiff_t>((d + 1) * size));
      }
      counts[code] += 1.0;
    }
    double seen = 0.0;
    for (const Path& path : given.paths[0]) {
      if (!kept(path)) continue;
      std::vector<double> code = path.z;
      code.insert(code.end(), path.y.begin(), path.y.end());
      const double expected = kDraws * std::exp(path.score - total);
      EXPECT_NEAR(counts[code], expected, 5.0 * std::sqrt(expected + 1.0));
      seen += counts[code];
    }
    EXPECT_EQ(seen, kDraws);
    context.lengths = Tensor::full({50}, 9.0, {Dtype::F64, Device::Cpu});
    context.first_row = 100;
    State later = State().in(context).set(given.x, state[given.x].tensor().rows(100, 150));
    if (labelled) later.set(given.y, state[given.y].tensor().rows(100, 150));
    EXPECT_EQ(sample_eliminated(given.graph, latents, later, Key(5))[given.z].tensor().values(),
              drawn[given.z].tensor().rows(100, 150).values());
  }
}

TEST(SegmentsTest, AnyOrderOfDerivativeAndTheLikelihood) {
  const SegmentCaseGraph given;
  EXPECT_EQ(gradcheck(
                [&](const std::vector<Value>& x) {
                  return free_energy(given.graph, {given.y, given.z}, State(given.rest).set(given.x, x[0]));
                },
                {given.data}),
            "");
  const std::vector<Path> chosen = {given.paths[0][7], given.paths[1][4], given.paths[2][1]};
  const State batch = given.with(given.y, chosen);
  const Contrast likelihood = ConditionalLikelihood({given.y});
  Carry carry;
  const auto loss = [&] { return likelihood.evaluate(given.graph, batch, carry, Key(0)).metrics.at("loss"); };
  double expected = 0.0;
  for (std::size_t n = 0; n < 3; ++n)
    expected += (summary(given.paths[n], any).log_total -
                 summary(given.paths[n], [&](const Path& path) { return path.y == chosen[n].y; }).log_total) /
                3.0;
  EXPECT_NEAR(loss(), expected, 1e-10);
  expect_gradients(given.graph, likelihood.evaluate(given.graph, batch, carry, Key(0)), loss, 1e-7,
                   "segments");
}

TEST(SegmentsTest, MistakesAreErrors) {
  const SegmentCaseGraph given;
  FactorGraph graph;
  const Variable y = graph.categorical("y", {3, 3}), z = graph.binary("z", {5, 3}), x = graph.real("x", {4}),
                 label = graph.categorical("label", {3});
  const auto make = [&](const Variable& labels, Index scores, Index stride) {
    return error_of([&] { Segments(labels, z, Linear(4, scores, Key(1)), x, {.stride = stride}); });
  };
  EXPECT_TRUE(contains(make(label, 30, 1), "categorical labels [L, K + 1]"));
  EXPECT_TRUE(contains(make(y, 29, 1), "30 scores of segments"));
  EXPECT_TRUE(contains(make(y, 30, 0), "stride of at least 1"));
  // Three labels in one stretch, labels behind a gap, a sequence longer than the cuts.
  const std::vector<Path> none = {given.paths[0][7], given.paths[1][4], given.paths[2][1]};
  std::vector<double> labels = given.with(given.y, none)[given.y].tensor().values();
  const std::size_t size = kMost * (kLabels + 1);
  std::vector<double> three = labels, gap = labels;
  for (std::size_t l = 0; l < kMost; ++l) {
    for (std::size_t k = 0; k <= kLabels; ++k) {
      three[2 * size + l * 3 + k] = k == 0 ? 1.0 : 0.0;
      gap[2 * size + l * 3 + k] = k == (l == 1 ? 0 : 2) ? 1.0 : 0.0;
    }
  }
  const auto with_labels = [&](const std::vector<double>& values) {
    return error_of([&] {
      free_energy(given.graph, {given.z}, given.rest.with(given.y, numbers(values, {3, kMost, kLabels + 1})));
    });
  };
  EXPECT_TRUE(
      contains(with_labels(three), "cut into 3 segments of 1 to 3 stretches, received one of 1 in row 2"));
  EXPECT_TRUE(contains(with_labels(gap), "then none (the last category), received others in row 2"));
  State longer = given.rest;
  Context context = longer.context();
  context.lengths = Tensor::from(std::vector<double>{11.0, 6.0, 1.0}, {3}, {Dtype::F64, Device::Cpu});
  longer.in(context);
  EXPECT_TRUE(contains(error_of([&] {
                         free_energy(given.graph, {given.y, given.z}, longer);
                       }),
                       "1 to 5 stretches of 2, received 6"));
  std::vector<double> cover(3 * kCuts * kLongest, 0.0);
  EXPECT_TRUE(contains(
      error_of([&] {
        free_energy(given.graph, {given.y}, given.rest.with(given.z, numbers(cover, {3, kCuts, kLongest})));
      }),
      "cover the 5 stretches of row 0"));
}

}  // namespace
}  // namespace basin::test
