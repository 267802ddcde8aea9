// K-means: codes are one-hot and nearest, means become those of their samples.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "autograd/ops.h"
#include "support/device.h"
#include "tensor/random.h"
#include "training/fit.h"
#include "training/kinds/kind.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

/// Three clouds of 40 points in the plane.
Tensor clouds() {
  const std::vector<double> centres = {0.0, 0.0, 6.0, 0.0, 0.0, 6.0};
  std::vector<double> points = normal(Key(5), {120, 2}, {Dtype::F64, Device::Cpu}).values();
  for (std::size_t i = 0; i < points.size(); ++i) points[i] += centres[i / 80 * 2 + i % 2];
  return Tensor::from(points, {120, 2}).to(test::f32());
}

TEST(KMeans, EveryMeanIsThatOfTheSamplesItIsNearestTo) {
  StageTables tables{.config = Config::parse(R"(model = { kind = "kmeans", clusters = 3 })", "kmeans.toml")};
  const Stage stage = read_stage(find_kind("kmeans"), tables)(
      {.name = "first", .key = Key(3), .sample_shape = {2}, .placement = test::f32()});
  const Tensor points = clouds();
  stage.start(source(stage.inputs[0].variable, points, test::f32()), {});
  // Every batch is all of them: the fit ends where Lloyd's algorithm does.
  fit(stage.graph, *stage.objective, points, Sgd({.learning_rate = 1.0}),
      {.epochs = 300, .batch = 120, .key = Key(4)});

  const std::vector<double> x = points.values(), z = stage.encoder->forward(points).tensor().values();
  const std::vector<double> means = stage.graph.parameters().at(0).tensor().values();
  std::vector<double> sums(6, 0.0), counts(3, 0.0);
  for (std::size_t i = 0; i < 120; ++i) {
    std::vector<double> distance;
    for (std::size_t k = 0; k < 3; ++k) {
      const double right = x[2 * i] - means[2 * k], up = x[2 * i + 1] - means[2 * k + 1];
      distance.push_back(right * right + up * up);
    }
    const auto nearest =
        static_cast<std::size_t>(std::min_element(distance.begin(), distance.end()) - distance.begin());
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(z[3 * i + k], k == nearest ? 1.0 : 0.0);
    counts[nearest] += 1.0;
    for (std::size_t d = 0; d < 2; ++d) sums[2 * nearest + d] += x[2 * i + d];
  }
  for (std::size_t k = 0; k < 3; ++k) {
    ASSERT_GT(counts[k], 0.0);
    for (std::size_t d = 0; d < 2; ++d) EXPECT_NEAR(sums[2 * k + d] / counts[k], means[2 * k + d], 1e-4);
  }
}

}  // namespace
}  // namespace basin
