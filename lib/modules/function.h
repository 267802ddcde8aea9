#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "modules/module.h"

namespace basin {

/// A module that is a function of a batch, with the parameters that it is told of: those that its gradient
/// reaches.
class Function final : public Module {
 public:
  using Forward = std::function<Value(const Value& x, const Context& context)>;

  explicit Function(Forward forward, std::vector<Parameter> parameters = {})
      : forward_(std::move(forward)), parameters_(std::move(parameters)) {}

  Value forward(const Value& x, const Context& context = {}) const override { return forward_(x, context); }
  std::vector<Parameter> parameters() const override { return parameters_; }

 private:
  Forward forward_;
  std::vector<Parameter> parameters_;
};

}  // namespace basin
