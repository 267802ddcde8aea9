#include "modules/linear_transpose.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "modules/flatten.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

TEST(LinearTranspose, SharesTheWeight) {
  const Linear there(4, 3, Key(1), {.placement = f64()});
  const LinearTranspose back(there, {.placement = f64()});
  ASSERT_EQ(back.parameters().size(), 2U);
  EXPECT_EQ(back.parameters()[0].value().node(), there.weight().value().node());
  back.parameters()[1].tensor().copy_from(normal(Key(2), {4}, f64()));
  const Value h = Value::leaf(normal(Key(3), {2, 5, 3}, f64()));
  const std::vector<double> w = there.weight().tensor().values(), b = back.parameters()[1].tensor().values(),
                            in = h.tensor().values();
  const std::vector<double> out = back.forward(h).tensor().values();
  for (std::size_t n = 0; n < 10; ++n) {
    for (std::size_t i = 0; i < 4; ++i) {
      double expected = b[i];
      for (std::size_t j = 0; j < 3; ++j) expected += in[3 * n + j] * w[3 * i + j];
      EXPECT_NEAR(out[4 * n + i], expected, 1e-12);
    }
  }
  EXPECT_EQ(
      gradcheck([&] { return back.forward(h); }, {h, there.weight().value(), back.parameters()[1].value()}),
      "");
  EXPECT_TRUE(back.is_affine());
  EXPECT_EQ(LinearTranspose(there, {.bias = false}).parameters().size(), 1U);
  EXPECT_THROW(back.forward(Value(Tensor::zeros({2, 4}, f64()))), Error);
}

TEST(Flatten, MakesRows) {
  EXPECT_EQ(Flatten().forward(Value(Tensor::zeros({2, 3, 4}, f64()))).shape(), (Shape{2, 12}));
  EXPECT_TRUE(Flatten().is_affine());
  EXPECT_TRUE(Flatten().parameters().empty());
}

}  // namespace
}  // namespace basin::test
