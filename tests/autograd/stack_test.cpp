#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::f32;
using test::host;
using test::numbers;
using test::random;
using test::Values;

TEST(Stack, DifferentiatesAlongAnyNewAxis) {
  for (const Index axis : {0, 1, 2, -1, -3}) {
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(stack(v, axis)); },
                        {random({2, 3}, 1), random({2, 3}, 2), random({2, 3}, 3)}),
              "")
        << axis;
    EXPECT_EQ(gradcheck(
                  [&](const Values& v) {
                    return square(stack({v[0], v[0] * v[0]}, axis));
                  },
                  {random({2, 3})}),
              "")
        << axis;
  }
  const Value a = numbers({1, 2}, {2}), b = numbers({3, 4}, {2});
  EXPECT_EQ(host(stack({a, b}, 0)), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(host(stack({a, b}, 1)), (std::vector<double>{1, 3, 2, 4}));
  EXPECT_EQ(stack({random({}), random({}, 1)}, 0).shape(), (Shape{2}));
  EXPECT_EQ(stack({random({2, 3}), random({2, 3}, 1)}, -1).shape(), (Shape{2, 3, 2}));
}

TEST(Unstack, DifferentiatesAlongAnyAxis) {
  for (const Index axis : {0, 1, 2, -1}) {
    // Parts that multiply each other, one that is used twice and one that is not used at all.
    const auto mixed = [&](const Values& v) {
      const std::vector<Value> parts = unstack(v[0], axis);
      return square(parts[0]) * parts[2] + parts[0];
    };
    EXPECT_EQ(gradcheck(mixed, {random({3, 3, 3})}), "") << axis;
    // Unstacked twice, and used as a whole as well.
    const auto twice = [&](const Values& v) {
      return sum(unstack(v[0], axis)[1] * unstack(v[0], axis)[2]) * sum(square(v[0]));
    };
    EXPECT_EQ(gradcheck(twice, {random({3, 3, 3})}), "") << axis;
  }
  const Value x = numbers({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(host(unstack(x, 0)[1]), (std::vector<double>{4, 5, 6}));
  EXPECT_EQ(host(unstack(x, 1)[1]), (std::vector<double>{2, 5}));
  EXPECT_EQ(unstack(x, -1).size(), 3U);
  EXPECT_EQ(unstack(random({2, 0, 3}), 1).size(), 0U);
  EXPECT_EQ(unstack(random({4}), 0)[3].shape(), Shape{});
}

TEST(Unstack, IsUndoneByStack) {
  const Tensor x = random({3, 4, 2});
  for (const Index axis : {0, 1, 2}) EXPECT_EQ(host(stack(unstack(x, axis), axis)), x.values());
}

TEST(Unstack, PartsAreThemselvesDifferentiable) {
  const Value x = Value::leaf(random({3, 2}));
  const std::vector<Value> parts = unstack(x, 0);
  const std::vector<Value> found = grad(sum(parts[0] * parts[1]), {parts[1], x, parts[2]});
  EXPECT_EQ(host(found[0]), host(parts[0]));
  EXPECT_EQ(host(found[1]),
            host(stack({parts[1].detached(), parts[0].detached(), Value(numbers({0, 0}, {2}))}, 0)));
  EXPECT_EQ(host(found[2]), (std::vector<double>{0, 0}));
}

/// Processor seconds of the fastest of seven: T parts, derivatives of order one and two.
double seconds(Index parts) {
  const Value x = Value::leaf(normal(Key(1), {2, parts, 3}, f32()));
  double best = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < 7; ++repeat) {
    const std::clock_t start = std::clock();
    const Value whole = stack(unstack(x, 1), 1);
    const Value first = grad(sum(whole * square(whole)), {x}, {.differentiable = true})[0];
    const Value second = grad(sum(square(first)), {x})[0];
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    // 36 x^3, the gradient of |3 x^2|^2.
    EXPECT_NEAR(sum(abs(second - 36.0 * x * square(x))).item() / sum(abs(second)).item(), 0.0, 1e-5);
  }
  return best;
}

TEST(Unstack, CostsAreLinearInTheNumberOfParts) {
  if (test::is_guarded()) GTEST_SKIP() << "pages that open and close are not what is timed";
  const int before = thread_count();
  set_thread_count(1);  // so that processor time is time
  const double few = seconds(1000), many = seconds(10000);
  set_thread_count(before);
  EXPECT_LE(many, 40.0 * few);  // quadratic would be 100; measured 10 to 12
}

}  // namespace
}  // namespace basin
