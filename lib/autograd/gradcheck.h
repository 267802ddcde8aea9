#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/value.h"

namespace basin {

struct GradcheckOptions {
  int order = 2;  // 1: gradient against differences of the function; 2: also Hessian-vector products against
                  // differences of the gradient
  double step = 1e-5;       // central differences, relative to max(1, |x|)
  double tolerance = 1e-6;  // on |difference| / max(1, |expected|)
};

/// Compares derivatives of sum(w * f(x)) for a fixed pseudo-random w with central finite differences, in f64.
/// Returns "" when all agree, else one line naming order, argument, element, expected and received. One line
/// checks an op: EXPECT_EQ(gradcheck([](auto& x) { return exp(x[0]); }, {x}), "");
std::string gradcheck(const std::function<Value(const std::vector<Value>&)>& function,
                      const std::vector<Tensor>& at, GradcheckOptions options = {});

/// The same for a function of leaves that it holds itself, such as the parameters of a module or a factor.
/// The leaves must be in f64 (Error otherwise); their numbers are moved in place and restored.
/// EXPECT_EQ(gradcheck([&] { return linear.forward(x); }, {x, linear.weight().value()}), "");
std::string gradcheck(const std::function<Value()>& function, const std::vector<Value>& leaves,
                      GradcheckOptions options = {});

}  // namespace basin
