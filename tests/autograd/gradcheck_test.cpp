#include "autograd/gradcheck.h"

#include <gtest/gtest.h>

#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::random;
using test::Values;

/// exp(x) with a rule of our choice.
Value op(const Value& x, Value::Rule rule) { return Value::result(exp(x).tensor(), {x}, std::move(rule)); }

TEST(Gradcheck, AcceptsARightRule) {
  const auto f = [](const Values& x) {
    return op(x[0], [](std::size_t, const Value& g, const Values&, const Value& y) { return g * y; });
  };
  EXPECT_EQ(gradcheck(f, {random({3})}), "");
}

TEST(Gradcheck, CatchesAWrongFirstDerivative) {
  const auto f = [](const Values& x) {
    return op(x[0],
              [](std::size_t, const Value& g, const Values&, const Value& y) { return g * y * 1.0001; });
  };
  const std::string complaint = gradcheck(f, {random({3})}, {.order = 1});
  EXPECT_EQ(complaint.rfind("[gradcheck] order 1, argument 0, element ", 0), 0U) << complaint;
  EXPECT_NE(complaint.find("expected"), std::string::npos) << complaint;
  EXPECT_NE(complaint.find("received"), std::string::npos) << complaint;
}

TEST(Gradcheck, CatchesAMissingGradient) {
  const auto f = [](const Values& x) {
    return x[0] * 0.0 +
           op(x[1], [](std::size_t, const Value&, const Values&, const Value&) { return Value(); });
  };
  const std::string complaint = gradcheck(f, {random({3}), random({3}, 1)}, {.order = 1});
  EXPECT_EQ(complaint.rfind("[gradcheck] order 1, argument 1, element 0", 0), 0U) << complaint;
}

TEST(Gradcheck, CatchesARuleThatIsNotDifferentiable) {
  // The value of the gradient is right, but it hides how it depends on x.
  const auto f = [](const Values& x) {
    return op(x[0],
              [](std::size_t, const Value& g, const Values&, const Value& y) { return g * y.detached(); });
  };
  EXPECT_EQ(gradcheck(f, {random({3})}, {.order = 1}), "");
  const std::string complaint = gradcheck(f, {random({3})}, {.order = 2});
  EXPECT_EQ(complaint.rfind("[gradcheck] order 2, argument 0, element ", 0), 0U) << complaint;
}

TEST(Gradcheck, CatchesNotANumber) {
  const auto f = [](const Values& x) {
    return op(x[0],
              [](std::size_t, const Value& g, const Values&, const Value&) { return log(g * 0.0 - 1.0); });
  };
  EXPECT_NE(gradcheck(f, {random({3})}, {.order = 1}), "");
}

TEST(Gradcheck, WorksInDoublePrecisionWhateverItIsGiven) {
  EXPECT_EQ(gradcheck([](const Values& x) { return exp(x[0]) * x[1]; },
                      {random({3}).to(Dtype::F32), random({3}, 1)}),
            "");
}

TEST(Gradcheck, OfLeavesRestoresThem) {
  const Value x = Value::leaf(random({3}));
  const std::vector<double> before = x.tensor().values();
  EXPECT_EQ(gradcheck([&] { return exp(x) * x; }, {x}), "");
  EXPECT_EQ(x.tensor().values(), before);
  EXPECT_NE(gradcheck([&] { return exp(x.detached()) * x; }, {x}), "");
  EXPECT_THROW(gradcheck([&] { return exp(x); }, {Value::leaf(random({3}).to(Dtype::F32))}), Error);
}

}  // namespace
}  // namespace basin
