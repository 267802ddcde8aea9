// Pooling, unpooling and windows of images.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::random;
using test::Values;

const std::vector<Window2d>& windows() {
  static const std::vector<Window2d> all{{{2, 2}},
                                         {{3, 2}, {2, 1}, {1, 0}},  // overlapping, with a remainder
                                         {{1, 3}, {3, 2}, {0, 2}},
                                         {{2, 3}, {3, 4}}};  // gaps
  return all;
}

/// The numbers of each window of a plane, in row-major order, padding left out.
template <class Body>
void for_each_window(const Shape& x, const Window2d& window, const Body& body) {
  const auto [size, strides, padding] = window;
  const std::array<Index, 2> stride{strides[0] > 0 ? strides[0] : size[0],
                                    strides[1] > 0 ? strides[1] : size[1]};
  for (Index plane = 0; plane < x[0] * x[1]; ++plane) {
    for (Index a = -padding[0]; a + size[0] <= x[2] + padding[0]; a += stride[0]) {
      for (Index b = -padding[1]; b + size[1] <= x[3] + padding[1]; b += stride[1]) {
        std::vector<Index> places;
        for (Index i = std::max<Index>(a, 0); i < std::min(a + size[0], x[2]); ++i) {
          for (Index j = std::max<Index>(b, 0); j < std::min(b + size[1], x[3]); ++j)
            places.push_back(i * x[3] + j);
        }
        body(plane * x[2] * x[3], places);
      }
    }
  }
}

TEST(Pooling, EqualsItsDefinition) {
  const Shape shape{2, 3, 7, 6};
  for (const Dtype dtype : {Dtype::F64, Dtype::F32}) {
    const Tensor x = random(shape).to(dtype);
    const std::vector<double> at = x.values();
    for (const Window2d& window : windows()) {
      const MaxPooled largest = max_pool2d(x, window);
      const std::vector<double> most = host(largest.y), index = largest.indices.values(),
                                sums = host(sum_pool2d(x, window)), means = host(average_pool2d(x, window)),
                                norms = host(lp_pool2d(x, window, 3.0)), roots = host(lp_pool2d(x, window)),
                                soft = host(log_sum_exp_pool2d(x, window, 2.0));
      std::size_t i = 0;
      for_each_window(shape, window, [&](Index plane, const std::vector<Index>& places) {
        double sum = 0.0, cubes = 0.0, squares = 0.0, exps = 0.0;
        Index first = places.front();
        for (const Index place : places) {
          const double here = at[static_cast<std::size_t>(plane + place)];
          if (here > at[static_cast<std::size_t>(plane + first)]) first = place;
          sum += here;
          squares += here * here;
          cubes += std::pow(std::abs(here), 3.0);
          exps += std::exp(2.0 * here);
        }
        const double close = dtype == Dtype::F64 ? 1e-13 : 3e-6;
        ASSERT_LT(i, most.size());
        EXPECT_EQ(index[i], static_cast<double>(first));
        EXPECT_EQ(most[i], at[static_cast<std::size_t>(plane + first)]);
        EXPECT_NEAR(sums[i], sum, close);
        EXPECT_NEAR(means[i], sum / static_cast<double>(window.size[0] * window.size[1]), close);
        EXPECT_NEAR(norms[i], std::cbrt(cubes), close);
        EXPECT_NEAR(roots[i], std::sqrt(squares), close);
        EXPECT_NEAR(soft[i], 0.5 * std::log(exps), close);
        ++i;
      });
      EXPECT_EQ(i, most.size());
    }
  }
}

TEST(Pooling, Differentiates) {
  const Tensor x = random({2, 2, 5, 6});
  for (const Window2d& window : windows()) {
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(max_pool2d(v[0], window).y); }, {x}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(average_pool2d(v[0], window)); }, {x}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return lp_pool2d(v[0], window); }, {x}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return lp_pool2d(v[0], window, 3.0); }, {x}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return log_sum_exp_pool2d(v[0], window, 1.5); }, {x}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(windows2d(v[0], window)); }, {x}), "");
  }
}

TEST(Pooling, TiesGoToTheFirstInRowMajorOrder) {
  const Value x = Value::leaf(numbers({1, 3, 3, 3, 3, 0, 3, 2, 2}, {1, 1, 3, 3}));
  const MaxPooled y = max_pool2d(x, {{2, 2}, {1, 1}});
  EXPECT_EQ(host(y.y), (std::vector<double>{3, 3, 3, 3}));
  EXPECT_EQ(y.indices.values(), (std::vector<double>{1, 1, 3, 4}));
  const Value weights = numbers({1, 10, 100, 1000}, {1, 1, 2, 2});
  EXPECT_EQ(host(grad(sum(y.y * weights), {x})[0]), (std::vector<double>{0, 11, 0, 100, 1000, 0, 0, 0, 0}));
}

TEST(Pooling, ANotANumberIsLargerThanAll) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const MaxPooled y = max_pool2d(
      numbers({infinity, nan, nan, 1, -infinity, -infinity, -infinity, -infinity}, {1, 2, 2, 2}), {{2, 2}});
  EXPECT_TRUE(std::isnan(host(y.y)[0]));
  EXPECT_EQ(host(y.y)[1], -infinity);
  EXPECT_EQ(y.indices.values(), (std::vector<double>{1, 0}));
}

TEST(Pooling, NothingInAWindowHasNoSlope) {
  for (const double p : {1.0, 1.5, 2.0, 3.0}) {
    const Value x = Value::leaf(Tensor::zeros({1, 1, 2, 2}, test::f64()));
    const Value y = lp_pool2d(x, {{2, 2}}, p);
    EXPECT_EQ(host(y), std::vector<double>{0.0});
    EXPECT_EQ(host(grad(sum(y), {x})[0]), std::vector<double>(4, 0.0));
  }
}

TEST(Pooling, UnpoolingUndoesMaxima) {
  const Tensor x = random({2, 3, 4, 6});
  const MaxPooled pooled = max_pool2d(x, {{2, 3}});
  const Value back = unpool2d(pooled.y, pooled.indices, {4, 6});
  EXPECT_EQ(host(max_pool2d(abs(back), {{2, 3}}).y), host(abs(pooled.y)));
  EXPECT_NEAR(sum(back).item(), sum(pooled.y).item(), 1e-12);
  EXPECT_EQ(gradcheck(
                [&](const Values& v) {
                  return tanh(unpool2d(v[0], pooled.indices, {4, 6}));
                },
                {pooled.y.tensor()}),
            "");
}

TEST(Pooling, RefusesWhatDoesNotFit) {
  const Value x = random({1, 2, 4, 5});
  EXPECT_THROW(max_pool2d(x, {{5, 1}}), Error);
  EXPECT_NO_THROW(max_pool2d(x, {{5, 1}, {1, 1}, {1, 0}}));
  EXPECT_THROW(max_pool2d(x, {{2, 2}, {1, 1}, {2, 0}}), Error);  // a window of padding alone
  EXPECT_THROW(max_pool2d(x, {{0, 2}}), Error);
  EXPECT_THROW(max_pool2d(x, {{2, 2}, {-1, 1}}), Error);
  EXPECT_THROW(average_pool2d(random({4, 5}), {{2, 2}}), Error);
  EXPECT_THROW(lp_pool2d(x, {{2, 2}}, 0.5), Error);
  EXPECT_THROW(log_sum_exp_pool2d(x, {{2, 2}}, 0.0), Error);
  const MaxPooled pooled = max_pool2d(x, {{2, 2}});
  EXPECT_THROW(unpool2d(pooled.y, pooled.indices, {2, 2}), Error);  // an index beyond
  EXPECT_THROW(unpool2d(x, pooled.indices, {4, 5}), Error);
}

TEST(Pooling, EmptyBatches) {
  const Value x = Value::leaf(random({0, 2, 4, 4}));
  EXPECT_EQ(max_pool2d(x, {{2, 2}}).y.shape(), (Shape{0, 2, 2, 2}));
  EXPECT_EQ(grad(sum(max_pool2d(x, {{2, 2}}).y), {x})[0].shape(), x.shape());
  EXPECT_EQ(grad(sum(average_pool2d(x, {{2, 2}})), {x})[0].shape(), x.shape());
}

}  // namespace
}  // namespace basin
