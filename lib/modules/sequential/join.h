#pragma once

#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "modules/module.h"

namespace basin {

/// Keeps what is there for the next Join of a Sequential, and passes it on: y = x.
class Tap final : public Module {
 public:
  Value forward(const Value& x, const Context& /*nothing is drawn*/ = {}) const override { return x; }
  bool is_affine() const override { return true; }
};

/// Features of several stages side by side: all that the Taps below it in a Sequential have kept, in their
/// order, then what is there, [N, sum of their features]. Without a Tap it flattens.
/// Reference: Sermanet, Kavukcuoglu, Chintala and LeCun 2013, "Pedestrian detection with unsupervised
/// multi-stage feature learning", section 2.2.
class Join final : public Module {
 public:
  Value forward(const Value& x, const Context& /*nothing is drawn*/ = {}) const override {
    return flatten(x);
  }
  bool is_affine() const override { return true; }

  static Value joined(std::vector<Value> kept, const Value& y) {
    for (Value& part : kept) part = flatten(part);
    kept.push_back(flatten(y));
    return concat(kept, 1);
  }
};

}  // namespace basin
