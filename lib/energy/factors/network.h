#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct NetworkOptions {
  std::string label = "network";  // the parameters become "<label>.<name>"
};

/// E(x...) = the sum of a Module's outputs for one sample: any deep net as an energy. One variable enters in
/// its own shape [N, x.shape...]; several enter flattened and side by side, [N, sum of sizes]. Throws Error
/// at construction when the module does not take that shape or does not return one row a sample.
class Network final : public Factor {
 public:
  Network(std::shared_ptr<const Module> module, std::vector<Variable> inputs, NetworkOptions options = {});
  template <std::derived_from<Module> M>
  Network(M module, std::vector<Variable> inputs, NetworkOptions options = {})
      : Network(std::make_shared<const M>(std::move(module)), std::move(inputs), std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override { return inputs_; }
  Value energy(const State& state) const override;
  /// Affine where the module is, else anything: no probe finds every kink of a network.
  Order order_in(const Variable& variable) const override;
  Block sequences() const override { return module_->ends_at_lengths() ? inputs_ : Block{}; }
  std::vector<Parameter> parameters() const override;

  const Module& module() const { return *module_; }

 private:
  Value input(const State& state) const;

  std::shared_ptr<const Module> module_;
  std::vector<Variable> inputs_;
  NetworkOptions options_;
};

}  // namespace basin
