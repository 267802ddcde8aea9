#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// Who owns the precision of a Quadratic.
enum class Precision {
  PerUnit,  // a parameter [v.size()]
  Fixed     // no parameter: exp(log_precision) of the options for ever
};

struct QuadraticOptions {
  Precision precision = Precision::PerUnit;
  double log_precision = 0.0;  // s at first, or for ever
  std::string label = "log_precision";
};

/// E(v) = 1/2 sum_i exp(s_i) v_i^2 over flattened values. Parameter "<v>.log_precision", zeros at first (CPU,
/// f32).
///
/// With Bias this is a Gaussian unit in natural parameters: precision exp(s), so that no step of learning can
/// make the variance exp(-s) negative, and mean (b + input) exp(-s). The form (v - c)^2 / (2 sigma^2) with
/// weights W / sigma^2 of Cho, Ilin, Raiko 2011 ("Improved learning of Gaussian-Bernoulli restricted
/// Boltzmann machines", with sigma^2 = exp(z)) is the same
/// family: s = -log sigma^2, b = c / sigma^2, and here the bilinear weights stand for their W / sigma^2.
class Quadratic final : public Factor {
 public:
  explicit Quadratic(Variable v, QuadraticOptions options = {});

  std::string name() const override;
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Quadratic; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override;

  const Variable& variable() const { return variable_; }
  Precision kind() const { return options_.precision; }
  /// s; nothing when it is fixed.
  const std::optional<Parameter>& log_precision() const { return log_precision_; }
  /// exp(s) of every unit, [v.size()], for any kind of precision.
  Value precision(Placement placement) const;

 private:
  Variable variable_;
  QuadraticOptions options_;
  std::optional<Parameter> log_precision_;
};

}  // namespace basin
