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

struct SquaredErrorOptions {
  double weight = 1.0;
  std::optional<std::string> label = {};  // in the place of "<s>.<t>"; "": the module's own names
};

/// E(t, s) = 1/2 weight |t - f(s)|^2 over flattened values, f any Module that maps [N, s.shape...] to as many
/// numbers as t has. Its parameters become "<s>.<t>.<name>". Throws Error at construction when f's output
/// does not fit t.
class SquaredError final : public Factor {
 public:
  SquaredError(Variable target, std::shared_ptr<const Module> f, Variable source,
               SquaredErrorOptions options = {});
  template <std::derived_from<Module> M>
  SquaredError(Variable target, M f, Variable source, SquaredErrorOptions options = {})
      : SquaredError(std::move(target), std::make_shared<const M>(std::move(f)), std::move(source),
                     std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override { return {target_, source_}; }
  Value energy(const State& state) const override;
  /// In s, of an affine f, it is whatever f's weights make of it: convex, and diagonal where they are
  /// orthogonal.
  Order order_in(const Variable& variable) const override;
  bool convex_in(const Variable& variable) const override;
  Block sequences() const override { return module_->ends_at_lengths() ? Block{source_} : Block{}; }
  std::vector<Parameter> parameters() const override;

  const Variable& target() const { return target_; }
  const Variable& source() const { return source_; }
  const Module& module() const { return *module_; }
  double weight() const { return options_.weight; }

 private:
  Variable target_;
  std::shared_ptr<const Module> module_;
  Variable source_;
  SquaredErrorOptions options_;
};

}  // namespace basin
