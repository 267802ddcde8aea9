// Where codes lie: neighbours of one label, positions in the plane, and a network that learns from pairs.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "autograd/grad.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "tensor/random.h"
#include "training/experiment_fixture.h"
#include "training/measures/retrieval.h"
#include "training/plots/plot.h"
#include "training/plots/tsne.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

constexpr Placement kHost{Dtype::F32, Device::Cpu};

TEST(Retrieval, IsWhatACountByHandGives) {
  // A query at 0 of label 1, one at 10 of label 2; labels by distance from 0: 1 2 1 2, from 10 reversed; the
  // third query's label nobody has.
  const Tensor all = Tensor::from(std::vector<double>{1, 2, 3, 4}, {4, 1}, kHost),
               queries = Tensor::from(std::vector<double>{0, 10, 5}, {3, 1}, kHost);
  const std::vector<std::int64_t> labels{1, 2, 1, 2}, of_queries{1, 2, 7};
  const Ranking found = rank_labels(queries, of_queries, all, labels);
  EXPECT_EQ(found.queries, 2);
  EXPECT_EQ(found.retrieved, (std::vector<std::int64_t>{1, 2, 4}));
  EXPECT_EQ(found.precision, (std::vector<double>{1.0, 0.5, 0.5}));
  EXPECT_EQ(found.recall, (std::vector<double>{0.5, 0.5, 1.0}));
  EXPECT_DOUBLE_EQ(found.mean_average_precision, (1.0 + 2.0 / 3.0) / 2.0);
  EXPECT_EQ(found.nearest_error, 0.0);
  const std::vector<std::int64_t> nobody{7, 7, 7};
  EXPECT_TRUE(contains(error_of([&] { rank_labels(queries, nobody, all, labels); }), "[retrieval]"));
}

/// Three clouds of 20 points in five dimensions, far apart.
Tensor clouds() {
  std::vector<double> points = normal(Key(5), {60, 5}, {Dtype::F64, Device::Cpu}).values();
  for (std::size_t n = 0; n < 60; ++n) points[5 * n + n / 20] += 12.0;
  return Tensor::from(points, {60, 5}, kHost);
}

TEST(Tsne, ProbabilitiesHaveThePerplexity) {
  const Tensor rows = clouds();
  const std::vector<double> p = neighbour_probabilities(rows, 6.0).values(), x = rows.values();
  EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1.0, 1e-5);
  // The conditional of row 0 again, by a scan over b.
  const auto distance = [&](std::size_t i, std::size_t j) {
    double square = 0.0;
    for (std::size_t d = 0; d < 5; ++d) square += std::pow(x[5 * i + d] - x[5 * j + d], 2);
    return square;
  };
  const auto conditional = [&](std::size_t i) {
    std::vector<double> best;
    double nearest = 1e9;
    for (double log_b = -6.0; log_b < 3.0; log_b += 1e-3) {
      std::vector<double> q(60, 0.0);
      double total = 0.0, entropy = 0.0;
      for (std::size_t j = 0; j < 60; ++j)
        if (j != i) total += q[j] = std::exp(-std::exp(log_b) * distance(i, j));
      for (double& each : q) each /= total;
      for (const double each : q) entropy -= each > 0.0 ? each * std::log(each) : 0.0;
      if (std::abs(std::exp(entropy) - 6.0) < nearest) nearest = std::abs(std::exp(entropy) - 6.0), best = q;
    }
    return best;
  };
  const std::vector<double> of_0 = conditional(0), of_7 = conditional(7);
  EXPECT_NEAR(p[7], (of_0[7] + of_7[0]) / 120.0, 2e-5);
  EXPECT_EQ(p[0], 0.0);
  EXPECT_EQ(p[7], p[7 * 60]);
}

TEST(Tsne, RowsThatAreNearlyEquallyFarHaveThePerplexityToo) {
  // 20 points of 400 numbers: all distances within some percent of each other.
  const std::vector<double> p = neighbour_probabilities(normal(Key(6), {20, 400}, kHost), 3.0).values();
  double most = 0.0;
  for (const double each : p) most = std::max(most, each);
  EXPECT_GT(most, 3.0 / (20.0 * 19.0));  // uniform: each 1 / 380
}

TEST(Tsne, TheEnergysGradientIsTheClosedForm) {
  const Tensor p = neighbour_probabilities(clouds(), 6.0).to({Dtype::F64, Device::Cpu});
  const Value y = Value::leaf(normal(Key(8), {60, 2}, {Dtype::F64, Device::Cpu}));
  const std::vector<double> found = grad(neighbour_energy(y, p), {y})[0].tensor().values(),
                            at = y.tensor().values(), probability = p.values();
  const auto near = [&](std::size_t i, std::size_t j) {
    return 1.0 / (1.0 + std::pow(at[2 * i] - at[2 * j], 2) + std::pow(at[2 * i + 1] - at[2 * j + 1], 2));
  };
  double total = 0.0;
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t j = 0; j < 60; ++j) total += i == j ? 0.0 : near(i, j);
  for (std::size_t i = 0; i < 60; i += 7) {  // 4 sum_j (p - q) (y_i - y_j) / (1 + d): van der Maaten, Hinton
    double expected = 0.0;
    for (std::size_t j = 0; j < 60; ++j) {
      const double q = i == j ? 0.0 : near(i, j) / total;
      expected += 4.0 * (probability[60 * i + j] - q) * (at[2 * i] - at[2 * j]) * near(i, j);
    }
    EXPECT_NEAR(found[2 * i], expected, 1e-7);  // p comes in f32: its sum is 1 to that
  }
}

TEST(Tsne, NeighboursStayNeighbours) {
  const Tensor positions = tsne(clouds(), Key(9), {.perplexity = 8.0, .exaggerated = 100, .steps = 300});
  std::vector<std::int64_t> clouds_of(60);
  for (std::size_t n = 0; n < 60; ++n) clouds_of[n] = static_cast<std::int64_t>(n / 20);
  // Every point finds itself first, so what is asked is that the other 19 come before all others.
  EXPECT_GT(rank_labels(positions, clouds_of, positions, clouds_of).mean_average_precision, 0.999);
  EXPECT_TRUE(contains(error_of([&] { tsne(Tensor::zeros({4, 2}, kHost), Key(1)); }), "[tsne]"));
}

constexpr const char* kPairs = R"(seed = 3
data = { name = "strokes", train = 800, test = 100 }
model = { kind = "drlim", layers = ["dense 60", "relu", "dense 2"], margin = 2.0 }
train = { epochs = 10, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.003 }
evaluate = { retrieval = { queries = 80 } }
)";

using CodeSpaces = test::ExperimentFolder;

TEST_F(CodeSpaces, PairsBringSamplesOfOneLabelTogether) {
  const Plan plan = test::plan_of_text(kPairs);
  run_experiment(plan, options("pairs.h5"), {});
  const Store store = load_results(file("pairs.h5"));
  // Two numbers, learned from labels, against all pixels.
  EXPECT_GT(test::number(store, "mean_average_precision"),
            test::number(store, "mean_average_precision_samples") + 0.1);
  EXPECT_EQ(test::only(store).integers("/evaluation/retrieval/retrieved").back(), 800);
  EXPECT_EQ(test::number(test::evaluated(store, plan), "mean_average_precision"),
            test::number(store, "mean_average_precision"));
  for (const char* plot : {"map", "neighbours", "retrieval"}) {
    RestoredStage stage(store, plan, "", test::device());
    const std::string path = file(std::string(plot) + ".png");
    draw(plot, {.path = path, .title = "pairs"}, stage.view(), test::only(store));
    EXPECT_GE(load_png(path).width, 300);
  }
}

TEST_F(CodeSpaces, WhatCannotBeSearchedIsRefused) {
  const auto fails = [&](const std::vector<std::string>& settings) {
    return error_of([&] { run_experiment(test::plan_of_text(kPairs, settings), options("no.h5"), {}); });
  };
  EXPECT_TRUE(contains(fails({R"(data={ name = "bars_and_stripes" })", "train.batch=10"}),
                       "[drlim] expected a column of labels"));
  EXPECT_TRUE(contains(fails({R"(model.layers=["dense 8", "batch_norm", "dense 2"])"}), "batch_norm"));
  EXPECT_TRUE(contains(fails({"evaluate.retrieval.queries=0"}), "queries"));
  EXPECT_TRUE(contains(fails({"model.margin=0"}), "margin"));
  EXPECT_TRUE(
      contains(fails({"data={ name = \"bars_and_stripes\" }", "train.batch=10", "model={ hidden = 3 }"}),
               "[retrieval] expected data with labels"));
}

}  // namespace
}  // namespace basin
