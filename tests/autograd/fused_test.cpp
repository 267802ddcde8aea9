// Fused ops equal what they stand for.
#include "autograd/fused.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::host;
using test::random;
using test::Values;

struct Function {
  Unary fused;
  Value (*derived)(const Value&);
};
const std::vector<Function>& functions() {
  static const std::vector<Function> all{
      {Unary::Relu, &relu}, {Unary::Tanh, &tanh}, {Unary::Sigmoid, &sigmoid}};
  return all;
}

TEST(Biased, HasTheNumbersOfTheOps) {
  for (const Dtype dtype : {Dtype::F64, Dtype::F32}) {
    for (const Shape& shape : {Shape{3, 5}, Shape{2, 3, 7, 9}, Shape{2, 2, 80, 70}, Shape{0, 2, 3}}) {
      const Value x = Value::leaf(random(shape).to(dtype)), b = Value::leaf(random({shape[1]}, 1).to(dtype));
      Shape along(shape.size() - 1, 1);
      along[0] = shape[1];
      for (const Function& function : functions()) {
        const Value fused = biased(function.fused, x, b), derived = function.derived(x + reshape(b, along));
        EXPECT_EQ(host(fused), host(derived));
        const Value weights = random(shape, 2).to(dtype);
        const Values found = grad(sum(fused * weights), {x, b}),
                     expected = grad(sum(derived * weights), {x, b});
        for (std::size_t i = 0; i < found.size(); ++i) {
          const std::vector<double> a = host(found[i]), e = host(expected[i]);
          ASSERT_EQ(a.size(), e.size());
          for (std::size_t k = 0; k < a.size(); ++k)
            EXPECT_NEAR(a[k], e[k], (dtype == Dtype::F64 ? 1e-12 : 2e-5) * (1.0 + std::abs(e[k])));
        }
      }
    }
  }
}

// Of dense layers the derivatives, too, have the bits of the ops: in several blocks of rows and of columns.
TEST(Biased, HasTheBitsOfTheOpsOfMatrices) {
  for (const Dtype dtype : {Dtype::F64, Dtype::F32}) {
    for (const Shape& shape : {Shape{3, 5}, Shape{130, 300}, Shape{2100, 7}, Shape{1, 129}}) {
      const Value x = Value::leaf(random(shape).to(dtype)), b = Value::leaf(random({shape[1]}, 1).to(dtype)),
                  weights = random(shape, 2).to(dtype);
      for (const Function& function : functions()) {
        const Values found = grad(sum(biased(function.fused, x, b) * weights), {x, b}),
                     expected = grad(sum(function.derived(x + b) * weights), {x, b});
        for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(host(found[i]), host(expected[i]));
      }
    }
  }
}

TEST(Biased, Differentiates) {
  for (const Function& function : functions()) {
    const auto f = [&](const Values& v) { return biased(function.fused, v[0], v[1]); };
    EXPECT_EQ(gradcheck(f, {random({2, 3, 2}), random({3}, 1)}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(f(v)); }, {random({3, 2}), random({2}, 1)}), "");
  }
}

TEST(Biased, RefusesWhatDoesNotFit) {
  EXPECT_THROW(biased(Unary::Relu, random({2, 3}), random({2})), Error);
  EXPECT_THROW(biased(Unary::Relu, random({3}), random({3})), Error);
  EXPECT_THROW(biased(Unary::Exp, random({2, 3}), random({3})), Error);
}

}  // namespace
}  // namespace basin
