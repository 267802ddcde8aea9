#pragma once

#include "modules/module.h"

namespace basin {

struct LastStepOptions {
  Index from_start = 0;  // features at the end that a reversed layer made: taken from step 0
};

/// What a layer has come to at each sequence's own end, [N, T, features] -> [N, features]; of the reversed
/// half of a bidirectional one at its start. Throws Error for other shapes.
class LastStep final : public Module {
 public:
  explicit LastStep(LastStepOptions options = {}) : options_(options) {}

  Value forward(const Value& x, const Context& context = {}) const override;
  bool ends_at_lengths() const override { return true; }

 private:
  LastStepOptions options_;
};

/// The mean over the steps of each sequence, [N, T, features] -> [N, features].
class MeanStep final : public Module {
 public:
  Value forward(const Value& x, const Context& context = {}) const override;
  bool ends_at_lengths() const override { return true; }
};

}  // namespace basin
