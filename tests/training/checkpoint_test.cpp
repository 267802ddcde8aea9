#include "training/experiment/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/device.h"
#include "tensor/error.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string refusal(const std::vector<Parameter>& parameters, const Average* average, const FitState& state) {
  Store store;
  const Sgd optimizer(SgdOptions{.learning_rate = 0.1});
  try {
    write_checkpoint(store, parameters, optimizer, average, state, 0);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Checkpoint, HoldsFiniteNumbersOnly) {
  const Tensor numbers = Tensor::full({3}, 1, test::f32());
  const std::vector<Parameter> parameters = {Parameter("w", numbers)};
  Average average({.from = 0.0});
  average.update(parameters, {});
  EXPECT_EQ(refusal(parameters, &average, {}), "");

  FitState state;
  state.step = 1;
  state.carry["particles.v"] = Tensor::full({2, 3}, kNan, test::f32());
  EXPECT_NE(refusal(parameters, &average, state).find("/carry/particles.v holds"), std::string::npos);

  numbers.fill(kNan);
  EXPECT_NE(refusal(parameters, &average, {}).find("/parameters/w holds"), std::string::npos);
  average.update(parameters, {});
  numbers.fill(1);  // the parameters have recovered, their average never will
  EXPECT_NE(refusal(parameters, &average, {}).find("/average/w holds"), std::string::npos);
}

}  // namespace
}  // namespace basin
