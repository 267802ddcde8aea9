#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct CrossEntropyOptions {
  std::optional<std::string> label = {};  // in the place of "<s>.<t>"; "": the module's own names
};

/// E(t, s) = -sum_i [ t_i log p_i + (1 - t_i) log(1 - p_i) ], p = sigma(f(s)), over flattened values: the
/// negative log-likelihood, in nats, of targets in [0, 1] whose logits are f(s), f any Module. Computed as
/// softplus(f) - t f, so that no logarithm of 0 is taken. Its parameters become "<s>.<t>.<name>". Throws
/// Error at construction when f's output does not fit t.
class CrossEntropy final : public Factor {
 public:
  CrossEntropy(Variable target, std::shared_ptr<const Module> f, Variable source,
               CrossEntropyOptions options = {});
  template <std::derived_from<Module> M>
  CrossEntropy(Variable target, M f, Variable source, CrossEntropyOptions options = {})
      : CrossEntropy(std::move(target), std::make_shared<const M>(std::move(f)), std::move(source),
                     std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override { return {target_, source_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& variable) const override {
    return variable == target_ && !(variable == source_) ? Order::Affine : Order::Any;
  }
  bool convex_in(const Variable& variable) const override {
    return order_in(variable) == Order::Affine || (module_->is_affine() && !(target_ == source_));
  }
  Block sequences() const override { return module_->ends_at_lengths() ? Block{source_} : Block{}; }
  std::vector<Parameter> parameters() const override;

  const Variable& target() const { return target_; }
  const Variable& source() const { return source_; }
  const Module& module() const { return *module_; }

 private:
  Variable target_;
  std::shared_ptr<const Module> module_;
  Variable source_;
  CrossEntropyOptions options_;
};

}  // namespace basin
