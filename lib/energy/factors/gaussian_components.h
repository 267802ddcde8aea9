#pragma once

#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// E(x, z) = - sum_k z_k [ log pi_k + log Normal(x; m_k, exp(-s_k)) ], z one-hot of K, x real with diagonal
/// covariances: a mixture of Gaussians as an energy. It is normalised, log Z = 0: its free energy is -log
/// p(x), its conditional mean of z the responsibilities.
///
/// Parameters "<z>.logits" [K], pi = softmax, "<z>.<x>.mean" and "<z>.<x>.log_precision" s, [K, x.size()],
/// zeros at first (CPU, f32). Distances are sums of products, from the middle of the means, so that log p is
/// off by about the dtype's rounding times (how far a mean lies from there / its deviation)^2. Throws Error
/// unless x is real and z one code of categories. Reference: Dempster, Laird, Rubin 1977, "Maximum likelihood
/// from incomplete data via the EM algorithm".
class GaussianComponents final : public Factor {
 public:
  GaussianComponents(Variable x, Variable z);

  std::string name() const override;
  std::vector<Variable> scope() const override { return {x_, z_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& variable) const override {
    return variable == z_ ? Order::Affine : Order::Quadratic;
  }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {logits_, mean_, log_precision_}; }

  const Variable& observed() const { return x_; }
  const Variable& code() const { return z_; }
  const Parameter& logits() const { return logits_; }
  const Parameter& mean() const { return mean_; }
  const Parameter& log_precision() const { return log_precision_; }

 private:
  Variable x_, z_;
  Parameter logits_, mean_, log_precision_;
};

}  // namespace basin
