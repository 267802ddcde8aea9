#pragma once

#include <optional>
#include <vector>

#include "modules/module.h"
#include "tensor/tensor.h"

namespace basin {

/// A nonlinearity of a row of the table activations() (activations.h), which has its names, arguments and
/// formulas: y = f(x), of the shape of x but for maxout.
///
/// "Features" are axis 1 of [N, C, ...]: channels of images. Kinks have the slopes that the formulas name.
/// Parameters: "slope" of prelu and "threshold" of learned_shrink, [1] or one a feature. Rrelu draws one
/// slope an element under the context's key, the same in all replicas of a sample; without a key it takes
/// their mean.
class Activation final : public Module {
 public:
  enum class Kind {
    Identity,
    Step,
    Sigmoid,
    Tanh,
    Arctan,
    Arsinh,
    Softsign,
    Isru,
    Isrlu,
    Sqnl,
    Relu,
    Brelu,
    Leaky,
    Prelu,
    Rrelu,
    Elu,
    Selu,
    Softplus,
    Silu,
    Gelu,
    Shrink,
    LearnedShrink,
    Abs,
    WinnerTakeAll,
    Maxout
  };

  /// Arguments in the table's order; those that are left out have its values. Throws Error "[name] ..." where
  /// one is missing, out of range or too many.
  explicit Activation(Kind kind, std::vector<double> arguments = {}, Placement placement = {});

  /// Throws Error "[name] ..." where the features of x do not fit (prelu, winner_take_all, maxout).
  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return kind_ == Kind::Identity; }

  Kind kind() const { return kind_; }
  const std::vector<double>& arguments() const { return arguments_; }

 private:
  Kind kind_;
  std::vector<double> arguments_;
  std::optional<Parameter> learned_;
};

}  // namespace basin
