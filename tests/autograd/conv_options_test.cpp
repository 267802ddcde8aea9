// Strides, dilations and groups of correlations.
#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::random;
using test::Values;

double dot(const Value& a, const Value& b) { return sum(a * b).item(); }

struct Case {
  Shape x, w;
  Conv2dOptions options;
};

std::vector<Case> cases() {
  return {
      {{2, 2, 7, 6}, {3, 2, 3, 2}, {.padding = {1, 0}, .stride = {2, 3}}},  // rows that no window reaches
      {{1, 4, 6, 5}, {6, 2, 2, 3}, {.padding = {0, 2}, .groups = 2}},
      {{2, 1, 8, 7}, {2, 1, 3, 2}, {.padding = {2, 1}, .dilation = {2, 3}}},
      {{1, 4, 9, 8}, {2, 2, 2, 3}, {.padding = {1, 2}, .stride = {3, 2}, .dilation = {2, 2}, .groups = 2}},
      {{2, 3, 5, 5}, {3, 1, 3, 3}, {.padding = {1, 1}, .stride = {2, 2}, .groups = 3}}};
}

/// The shape of conv2d as its definition counts windows.
Index count(Index extent, Index filter, Index padding, Index stride, Index dilation) {
  Index windows = 0;
  for (Index at = -padding; at + dilation * (filter - 1) < extent + padding; at += stride) ++windows;
  return windows;
}

/// conv2d, sum by sum.
std::vector<double> reference(const Case& at, const std::vector<double>& x, const std::vector<double>& w) {
  const auto [padding, stride, dilation, groups] = at.options;
  const Index in = at.w[1], out = at.w[0] / groups;
  const Index rows = count(at.x[2], at.w[2], padding[0], stride[0], dilation[0]),
              columns = count(at.x[3], at.w[3], padding[1], stride[1], dilation[1]);
  std::vector<double> y;
  for (Index n = 0; n < at.x[0]; ++n) {
    for (Index k = 0; k < at.w[0]; ++k) {
      for (Index i = 0; i < rows * columns; ++i) {
        double total = 0.0;
        for (Index c = 0; c < in; ++c) {
          for (Index t = 0; t < at.w[2] * at.w[3]; ++t) {
            const Index a = i / columns * stride[0] + t / at.w[3] * dilation[0] - padding[0],
                        b = i % columns * stride[1] + t % at.w[3] * dilation[1] - padding[1];
            if (a < 0 || a >= at.x[2] || b < 0 || b >= at.x[3]) continue;
            const Index channel = k / out * in + c;
            total += w[static_cast<std::size_t>(((k * in + c) * at.w[2] * at.w[3]) + t)] *
                     x[static_cast<std::size_t>(((n * at.x[1] + channel) * at.x[2] + a) * at.x[3] + b)];
          }
        }
        y.push_back(total);
      }
    }
  }
  return y;
}

TEST(ConvOptions, EqualsItsSums) {
  for (const Case& at : cases()) {
    const Tensor x = random(at.x), w = random(at.w, 1);
    const std::vector<double> expected = reference(at, x.values(), w.values()),
                              found = host(conv2d(x, w, at.options)),
                              single = host(conv2d(x.to(Dtype::F32), w.to(Dtype::F32), at.options));
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-13);
      EXPECT_NEAR(single[i], expected[i], 1e-5);
    }
  }
}

TEST(ConvOptions, TheThreeProductsAreOneTrilinearForm) {
  for (const Case& at : cases()) {
    for (const Dtype dtype : {Dtype::F64, Dtype::F32}) {
      const Value x = random(at.x).to(dtype), w = random(at.w, 1).to(dtype);
      const Value y = random(conv2d(x, w, at.options).shape(), 2).to(dtype);
      const Shape least = conv_transpose2d(y, w, at.options).shape();
      const std::array<Index, 2> rest{at.x[2] - least[2], at.x[3] - least[3]};
      const double form = dot(conv2d(x, w, at.options), y), close = dtype == Dtype::F64 ? 1e-11 : 1e-3;
      EXPECT_NEAR(form, dot(x, conv_transpose2d(y, w, at.options, rest)), close);
      EXPECT_NEAR(form, dot(w, conv2d_filter(x, y, at.options, {at.w[2], at.w[3]})), close);
    }
  }
}

TEST(ConvOptions, Differentiates) {
  for (const Case& at : cases()) {
    const Tensor x = random(at.x), w = random(at.w, 1);
    const Tensor y = random(conv2d(x, w, at.options).shape(), 2);
    const auto conv = [&](const Values& v) { return conv2d(v[0], v[1], at.options); };
    EXPECT_EQ(gradcheck(conv, {x, w}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(conv(v)); }, {x, w}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return conv_transpose2d(v[0], v[1], at.options); }, {y, w}),
              "");
    EXPECT_EQ(gradcheck(
                  [&](const Values& v) {
                    return conv2d_filter(v[0], v[1], at.options, {at.w[2], at.w[3]});
                  },
                  {x, y}),
              "");
  }
}

TEST(ConvOptions, OutputPaddingAddsRowsThatNoWindowReached) {
  const Value y = numbers({1, 2}, {1, 1, 1, 2}), w = numbers({10, 100}, {1, 1, 1, 2});
  const Conv2dOptions options{.stride = {1, 3}};
  EXPECT_EQ(host(conv_transpose2d(y, w, options)), (std::vector<double>{10, 100, 0, 20, 200}));
  EXPECT_EQ(host(conv_transpose2d(y, w, options, {0, 1})), (std::vector<double>{10, 100, 0, 20, 200, 0}));
  EXPECT_THROW(conv_transpose2d(y, w, options, {0, 3}), Error);
  EXPECT_THROW(conv_transpose2d(y, w, options, {1, 0}), Error);
}

TEST(ConvOptions, OneDimensionIsAHeightOfOne) {
  const Value x = numbers({1, 2, 3, 4, 5}, {1, 1, 5}), w = numbers({1, 10}, {1, 1, 2});
  EXPECT_EQ(host(conv1d(x, w)), (std::vector<double>{21, 32, 43, 54}));
  EXPECT_EQ(host(conv1d(x, w, {.padding = 1, .stride = 2})), (std::vector<double>{10, 32, 54}));
  EXPECT_EQ(host(conv1d(x, w, {.dilation = 3})), (std::vector<double>{41, 52}));
  EXPECT_EQ(gradcheck(
                [](const Values& v) {
                  return conv1d(v[0], v[1], {.padding = 2, .stride = 2, .dilation = 2, .groups = 2});
                },
                {random({2, 4, 7}), random({2, 2, 3}, 1)}),
            "");
  EXPECT_THROW(conv1d(x, numbers({1, 2}, {2, 1})), Error);
}

TEST(ConvOptions, RefusesWhatDoesNotFit) {
  const Value x = random({1, 4, 5, 5}), w = random({2, 2, 3, 3});
  EXPECT_NO_THROW(conv2d(x, w, {.groups = 2}));
  EXPECT_THROW(conv2d(x, w), Error);
  EXPECT_THROW(conv2d(x, w, {.groups = 0}), Error);
  EXPECT_THROW(conv2d(x, random({3, 2, 3, 3}), {.groups = 2}), Error);
  EXPECT_THROW(conv2d(x, w, {.stride = {0, 1}, .groups = 2}), Error);
  EXPECT_THROW(conv2d(x, w, {.dilation = {1, 0}, .groups = 2}), Error);
  EXPECT_THROW(conv2d(x, w, {.dilation = {3, 1}, .groups = 2}), Error);
  EXPECT_THROW(conv2d(x, w, {.padding = {Index{1} << 40, 0}, .groups = 2}), Error);
  EXPECT_THROW(conv2d_filter(x, random({1, 2, 3, 3}), {.groups = 2}, {2, 3}), Error);
}

}  // namespace
}  // namespace basin
