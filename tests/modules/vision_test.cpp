// Modules of vision nets: tables of connections, locally connected layers, pooling, contrast.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "layers.h"
#include "modules/embedding.h"
#include "modules/images/conv1d.h"
#include "modules/images/conv2d.h"
#include "modules/images/locally_connected2d.h"
#include "modules/images/pool2d.h"
#include "modules/normalisation/local_contrast.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::check;
using test::f64;
using test::host;
using test::numbers;
using test::random;

TEST(Connections, OfLeNet5AreThoseOfItsTable) {
  const Connections table = lenet5_connections();
  ASSERT_EQ(table.size(), 16u);
  std::vector<std::set<Index>> seen_by(6);
  std::size_t all = 0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    all += table[k].size();
    for (const Index c : table[k]) seen_by[static_cast<std::size_t>(c)].insert(static_cast<Index>(k));
  }
  EXPECT_EQ(all, 60u);  // 60 x 25 weights and 16 biases: 1,516 parameters
  // The rows of table 1: what each of the 6 maps is combined into.
  EXPECT_EQ(seen_by[0], (std::set<Index>{0, 4, 5, 6, 9, 10, 11, 12, 14, 15}));
  EXPECT_EQ(seen_by[1], (std::set<Index>{0, 1, 5, 6, 7, 10, 11, 12, 13, 15}));
  EXPECT_EQ(seen_by[2], (std::set<Index>{0, 1, 2, 6, 7, 8, 11, 13, 14, 15}));
  EXPECT_EQ(seen_by[3], (std::set<Index>{1, 2, 3, 6, 7, 8, 9, 12, 14, 15}));
  EXPECT_EQ(seen_by[4], (std::set<Index>{2, 3, 4, 7, 8, 9, 10, 12, 13, 15}));
  EXPECT_EQ(seen_by[5], (std::set<Index>{3, 4, 5, 8, 9, 10, 11, 13, 14, 15}));
}

TEST(Connections, AnOutputDependsOnWhatItSeesAlone) {
  const Connections table{{0, 2}, {1}, {0, 1, 2}};
  const Conv2d conv(3, 3, {2, 2}, Key(1), {.connections = table, .placement = f64()});
  const Value x = Value::leaf(random({1, 3, 3, 3}));
  conv.parameters()[0].set(random({3, 3, 2, 2}, 1));
  const Value y = conv.forward(x);
  for (Index k = 0; k < 3; ++k) {
    const std::vector<double> g = host(grad(sum(slice(y, 1, k, k + 1)), {x})[0]);
    for (Index c = 0; c < 3; ++c) {
      const auto& row = table[static_cast<std::size_t>(k)];
      const bool sees = std::find(row.begin(), row.end(), c) != row.end();
      EXPECT_EQ(g[static_cast<std::size_t>(9 * c)] != 0.0, sees) << k << " " << c;
    }
  }
  EXPECT_EQ(check(Conv2d(3, 3, {2, 2}, Key(1), {.connections = table}), random({1, 3, 3, 3})), "");
}

TEST(Connections, RefuseWhatDoesNotFit) {
  const auto made = [](Connections table) {
    return Conv2d(2, 2, {1, 1}, Key(1), {.connections = std::move(table)});
  };
  EXPECT_NO_THROW(made({{0}, {1}}));
  EXPECT_THROW(made({{0}}), Error);
  EXPECT_THROW(made({{0}, {}}), Error);
  EXPECT_THROW(made({{0}, {2}}), Error);
  EXPECT_THROW(made({{0}, {1, 1}}), Error);
  EXPECT_THROW(Conv2d(2, 2, {1, 1}, Key(1), {.groups = 2, .connections = {{0}, {1}}}), Error);
}

TEST(ConvModules, StridesDilationsAndGroups) {
  EXPECT_EQ(check(Conv2d(2, 4, {3, 2}, Key(1),
                         {.padding = {1, 0}, .stride = {2, 1}, .dilation = {1, 2}, .groups = 2}),
                  random({2, 2, 6, 5})),
            "");
  EXPECT_EQ(
      check(ConvTranspose2d(4, 2, {2, 3}, Key(1),
                            {.padding = {0, 1}, .stride = {3, 2}, .groups = 2, .output_padding = {2, 0}}),
            random({1, 4, 2, 3})),
      "");
  EXPECT_EQ(check(Conv1d(2, 4, 3, Key(1), {.padding = 1, .stride = 2, .groups = 2}), random({2, 2, 6})), "");
  EXPECT_EQ(Conv1d(2, 4, 3, Key(1)).forward(Tensor::zeros({5, 2, 9})).shape(), (Shape{5, 4, 7}));
  EXPECT_THROW(Conv1d(2, 3, 3, Key(1), {.groups = 2}), Error);
  EXPECT_THROW(Conv1d(2, 3, 3, Key(1)).forward(Tensor::zeros({5, 3, 9})), Error);
  EXPECT_THROW(Conv2d(2, 3, {1, 1}, Key(1), {.groups = 2}), Error);
}

TEST(ConvTranspose1dModule, EqualsPyTorchs) {
  const ConvTranspose1d layer(
      4, 4, 2, Key(1),
      {.padding = 1, .stride = 2, .dilation = 3, .groups = 2, .output_padding = 1, .placement = f64()});
  std::vector<double> w, z;
  for (int i = 1; i <= 16; ++i) w.push_back(0.5 * (i - 8));
  for (int i = 1; i <= 12; ++i) z.push_back(0.1 * i);
  layer.parameters()[0].set(numbers(w, {4, 2, 2}));
  layer.parameters()[1].set(numbers({1, -1, 2, 0}, {4}));
  const Value y = layer.forward(numbers(z, {1, 4, 3}));
  // torch 1.13: conv_transpose1d(z, w, b, stride=2, padding=1, output_padding=1, groups=2, dilation=3)
  const std::vector<double> expected = {1.0,   -0.45, 0.3,  -0.95, -0.1, 1.0,  -0.5, -1.0, -1.75, -1.2,
                                        -2.05, -1.4,  -1.0, -1.6,  2.0,  5.15, 5.7,  5.45, 6.1,   2.0,
                                        6.5,   0.0,   5.05, 5.4,   5.55, 6.0,  0.0,  6.6};
  const std::vector<double> found = host(y);
  EXPECT_EQ(y.shape(), (Shape{1, 4, 7}));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

TEST(ConvTranspose1dModule, IsTheTransposeOfConv1dAndDifferentiates) {
  const Conv1d forth(4, 6, 3, Key(1),
                     {.padding = 1, .stride = 2, .groups = 2, .bias = false, .placement = f64()});
  const ConvTranspose1d back(6, 4, 3, Key(2),
                             {.padding = 1, .stride = 2, .groups = 2, .bias = false, .placement = f64()});
  back.parameters()[0].set(forth.parameters()[0].tensor());
  const Value x = random({2, 4, 7}), z = random({2, 6, 4}, 1);
  EXPECT_NEAR(sum(forth.forward(x) * z).item(), sum(x * back.forward(z)).item(), 1e-10);
  EXPECT_EQ(
      check(ConvTranspose1d(4, 2, 3, Key(1), {.padding = 1, .stride = 3, .groups = 2, .output_padding = 2}),
            random({2, 4, 3})),
      "");
  EXPECT_THROW(ConvTranspose1d(2, 3, 3, Key(1), {.groups = 2}), Error);
  EXPECT_THROW(ConvTranspose1d(0, 3, 3, Key(1)), Error);
  EXPECT_THROW(Conv1d(2, 3, 3, Key(1), {.stride = 2, .output_padding = 1}), Error);
  EXPECT_THROW(ConvTranspose1d(2, 3, 3, Key(1), {.output_padding = 1}).forward(Tensor::zeros({1, 2, 4})),
               Error)
      << "output padding is below the stride";
  EXPECT_THROW(ConvTranspose1d(2, 3, 3, Key(1)).forward(Tensor::zeros({1, 3, 4})), Error);
}

TEST(LocallyConnected, EqualsAConvolutionWhereFiltersAreShared) {
  const LocallyConnectedOptions options{.stride = {2, 1}, .padding = {1, 0}, .placement = f64()};
  const LocallyConnected2d local({2, 5, 4}, 3, {3, 2}, Key(1), options);
  const Tensor w = random({3, 2, 3, 2}), x = random({2, 2, 5, 4}, 1);
  const Value shared = conv2d(x, w, {.padding = {1, 0}, .stride = {2, 1}});
  const Index places = shared.dim(2) * shared.dim(3);
  const Value one = transpose(reshape(w, {3, 12}), {1, 0});
  local.parameters()[0].set(broadcast_to(one, {places, 12, 3}).tensor());
  const std::vector<double> expected = host(shared), found = host(local.forward(x));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12);
}

TEST(LocallyConnected, EachPlaceHasFiltersOfItsOwn) {
  const LocallyConnected2d local({1, 1, 3}, 1, {1, 1}, Key(1), {.placement = f64()});
  local.parameters()[0].set(numbers({2, 3, 4}, {3, 1, 1}));
  local.parameters()[1].set(numbers({10, 20, 30}, {1, 1, 3}));
  EXPECT_EQ(host(local.forward(numbers({1, 1, 1}, {1, 1, 1, 3}))), (std::vector<double>{12, 23, 34}));
  EXPECT_EQ(check(LocallyConnected2d({2, 4, 3}, 2, {2, 2}, Key(1), {.stride = {2, 1}}), random({2, 2, 4, 3})),
            "");
  EXPECT_THROW(local.forward(random({1, 1, 1, 4})), Error);
  EXPECT_THROW(LocallyConnected2d({1, 3, 3}, 1, {4, 1}, Key(1)), Error);
}

TEST(Pool2dModule, Differentiates) {
  using Kind = Pool2d::Kind;
  for (const Kind kind : {Kind::Max, Kind::Average, Kind::Lp, Kind::LogSumExp}) {
    const Pool2d pool(kind, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}, .p = 3.0, .beta = 2.0});
    EXPECT_EQ(pool.forward(random({2, 1, 5, 4})).shape(), (Shape{2, 1, 3, 3}));
    EXPECT_EQ(check(pool, random({1, 2, 5, 4})), "");
  }
  EXPECT_TRUE(Pool2d(Kind::Average, {2, 2}).is_affine());
  EXPECT_FALSE(Pool2d(Kind::Max, {2, 2}).is_affine());
  EXPECT_THROW(Pool2d(Kind::Max, {0, 2}), Error);
  EXPECT_THROW(Pool2d(Kind::Max, {2, 2}, {.padding = {2, 0}}), Error);
  EXPECT_THROW(Pool2d(Kind::Lp, {2, 2}, {.p = 0.0}), Error);
  EXPECT_THROW(Pool2d(Kind::LogSumExp, {2, 2}, {.beta = -1.0}), Error);
}

TEST(LocalContrast, EqualsItsDefinition) {
  constexpr Index kMaps = 2, kHeight = 5, kWidth = 6;
  const Tensor x = random({1, kMaps, kHeight, kWidth});
  const std::vector<double> at = x.values();
  const double floor = 0.9;  // above some sigmas and below others
  const auto place = [](Index c, Index i, Index j) {
    return static_cast<std::size_t>((c * kHeight + i) * kWidth + j);
  };
  /// The weighted mean of f over all maps around (i, j), weights outside of the image left out.
  const auto local = [&](Index i, Index j, const auto& f) {
    double sum = 0.0, total = 0.0;
    for (Index c = 0; c < kMaps; ++c) {
      for (Index p = std::max<Index>(i - 1, 0); p <= std::min(i + 1, kHeight - 1); ++p) {
        for (Index q = std::max<Index>(j - 1, 0); q <= std::min(j + 1, kWidth - 1); ++q) {
          const double w = std::exp(-static_cast<double>((p - i) * (p - i) + (q - j) * (q - j)) / 2.0);
          total += w;
          sum += w * f(place(c, p, q));
        }
      }
    }
    return sum / total;
  };
  std::vector<double> v(at.size()), sigma;
  for (Index c = 0; c < kMaps; ++c) {
    for (Index i = 0; i < kHeight; ++i) {
      for (Index j = 0; j < kWidth; ++j)
        v[place(c, i, j)] = at[place(c, i, j)] - local(i, j, [&](std::size_t k) { return at[k]; });
    }
  }
  double mean = 0.0;
  for (Index i = 0; i < kHeight; ++i) {
    for (Index j = 0; j < kWidth; ++j) {
      sigma.push_back(std::sqrt(local(i, j, [&](std::size_t k) { return v[k] * v[k]; })));
      mean += sigma.back() / static_cast<double>(kHeight * kWidth);
    }
  }
  const LocalContrastOptions options{.size = 3, .deviation = 1.0, .floor = floor};
  const std::vector<double> found = host(LocalContrast(options).forward(x)),
                            subtracted = host(
                                LocalContrast({.size = 3, .deviation = 1.0, .divides = false}).forward(x));
  for (std::size_t k = 0; k < v.size(); ++k) {
    EXPECT_NEAR(subtracted[k], v[k], 1e-13);
    EXPECT_NEAR(found[k], v[k] / std::max({floor, mean, sigma[k % sigma.size()]}), 1e-13);
  }
}

TEST(LocalContrast, DifferentiatesAndKeepsSamplesApart) {
  EXPECT_EQ(check(LocalContrast({.size = 3, .deviation = 1.0}), random({2, 2, 4, 5})), "");
  EXPECT_EQ(check(LocalContrast({.size = 3, .divides = false}), random({1, 2, 3, 4})), "");
  // No contrast: no number, no slope, no NaN.
  const Value flat = Value::leaf(Tensor::full({1, 1, 4, 4}, 0.0, f64()));
  const Value y = LocalContrast().forward(flat);
  EXPECT_EQ(host(y), std::vector<double>(16, 0.0));
  for (const double g : host(grad(sum(square(y) + y), {flat})[0])) EXPECT_TRUE(std::isfinite(g));
  const Tensor x = random({3, 2, 6, 6});
  const std::vector<double> all = host(LocalContrast().forward(x)),
                            last = host(LocalContrast().forward(x.rows(2, 3)));
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - static_cast<std::ptrdiff_t>(last.size())));
  EXPECT_THROW(LocalContrast({.size = 4}), Error);
  EXPECT_THROW(LocalContrast({.floor = 0.0}), Error);
  EXPECT_THROW(LocalContrast().forward(random({2, 3})), Error);
}

TEST(EmbeddingModule, TakesRows) {
  const Embedding table(4, 2, Key(1), {.placement = f64()});
  table.parameters()[0].set(numbers({0, 1, 10, 11, 20, 21, 30, 31}, {4, 2}));
  EXPECT_EQ(host(table.forward(numbers({3, 1}, {1, 2}))), (std::vector<double>{30, 31, 10, 11}));
  EXPECT_THROW(table.forward(numbers({4}, {1})), Error);
  EXPECT_THROW(Embedding(0, 2, Key(1)), Error);
  const Value leaf = table.parameters()[0].value();
  const Tensor at = numbers({2, 2, 0}, {3});
  EXPECT_EQ(gradcheck([&] { return tanh(table.forward(at)); }, {leaf}), "");
}

}  // namespace
}  // namespace basin
