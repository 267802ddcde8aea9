#pragma once

#include <optional>
#include <vector>

#include "modules/parameter.h"
#include "tensor/key.h"

namespace basin {

/// A function of a batch with named parameters: no hidden state, no train or eval mode. What is random in it
/// (dropout) takes a key; no key = nothing random.
class Module {
 public:
  virtual ~Module() = default;
  virtual Value forward(const Value& x, std::optional<Key> key = std::nullopt) const = 0;
  virtual std::vector<Parameter> parameters() const { return {}; }
  /// True when forward(x) = A x + b for every x, so that a squared error of it is a quadratic function of x.
  virtual bool is_affine() const { return false; }
};

}  // namespace basin
