// A Boltzmann machine of samples and labels.
#include "models/label_rbm.h"

#include <gtest/gtest.h>

#include "tensor/error.h"

namespace basin {
namespace {

TEST(LabelRbm, HasAWeightFromEitherSideToTheHiddenUnits) {
  const LabelRbm rbm = label_rbm(
      {.visible_shape = {2, 3}, .classes = 4, .hidden_units = 5, .weight_scale = 1.0, .key = Key(2)});
  EXPECT_EQ(rbm.graph.parameter("v.h.weight").tensor().shape(), (Shape{6, 5}));
  EXPECT_EQ(rbm.graph.parameter("y.h.weight").tensor().shape(), (Shape{4, 5}));
  EXPECT_EQ(rbm.graph.parameters().size(), 5U);
}

TEST(LabelRbm, SizesThatAreMissingAreRefused) {
  EXPECT_THROW((void)label_rbm({.visible_shape = {2}, .classes = 1, .hidden_units = 3, .key = Key(0)}),
               Error);
  EXPECT_THROW((void)label_rbm({.visible_shape = {}, .classes = 2, .hidden_units = 3, .key = Key(0)}), Error);
  EXPECT_THROW((void)label_rbm({.visible_shape = {2}, .classes = 2, .hidden_units = 0, .key = Key(0)}),
               Error);
}

}  // namespace
}  // namespace basin
