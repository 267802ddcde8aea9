#pragma once

#include <vector>

#include "modules/context.h"
#include "modules/parameter.h"

namespace basin {

/// A function of a batch with named parameters: no hidden state, no train or eval mode. What is random in it
/// (dropout) draws under the context's key; no key = nothing random.
class Module {
 public:
  virtual ~Module() = default;
  virtual Value forward(const Value& x, const Context& context = {}) const = 0;
  virtual std::vector<Parameter> parameters() const { return {}; }
  /// True when forward(x) = A x + b for every x, so that a squared error of it is a quadratic function of x.
  virtual bool is_affine() const { return false; }
  /// True when samples are sequences of which nothing behind Context::lengths counts.
  virtual bool ends_at_lengths() const { return false; }
};

}  // namespace basin
