#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include "modules/module.h"

namespace basin {

struct SequentialOptions {
  bool fused = true;  // neighbours that fused_layers() recognises are computed together
};

/// Modules one after another: y = f_n(... f_1(f_0(x))).
///
/// A Tap among them keeps what is there, the next Join puts all that was kept beside what has come of it.
///
/// Module i draws under the fold i of the context's key; its parameters are named "i.weight" and so on.
/// Copies share their modules.
class Sequential final : public Module {
 public:
  Sequential() = default;
  explicit Sequential(SequentialOptions options) : options_(options) {}

  /// Appends a module: Sequential().add(Linear(784, 100, key)).add(Activation(Activation::Kind::Tanh)).
  template <std::derived_from<Module> M>
  Sequential& add(M module) {
    return add(std::shared_ptr<const Module>(std::make_shared<M>(std::move(module))));
  }
  /// Appends a module that others share. Throws Error when it is null.
  Sequential& add(std::shared_ptr<const Module> module);

  Value forward(const Value& x, const Context& context = {}) const override;
  /// What each of the modules gives, none of them computed together.
  std::vector<Value> outputs(const Value& x, const Context& context = {}) const;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override;
  bool ends_at_lengths() const override;  // where one of them does
  const std::vector<std::shared_ptr<const Module>>& modules() const { return modules_; }
  /// Whether some neighbours are computed together.
  bool fuses() const;

 private:
  /// What module i makes of y; `kept`: by Taps below.
  Value next(std::size_t i, const Value& y, std::vector<Value>& kept, const Context& context) const;

  SequentialOptions options_;
  std::vector<std::shared_ptr<const Module>> modules_;
};

}  // namespace basin
