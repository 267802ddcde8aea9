#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "energy/minimise/unroll/unroll.h"

namespace basin {

struct UnrolledErrorOptions {
  std::vector<Index> depths = {};  // numbers of layers whose codes are compared; none: all of them
  double floor = 1e-5;             // relative squared error below which nothing more is gained
};

/// E(x, y) = sum_k log(floor + |x - z_k(y)|^2 / |x|^2), z_k the code after k layers of an unrolled inference:
/// every depth is trained at once, each on its own scale (10 / log 10 times a term is the error in dB), so
/// that one network serves at every depth.
/// Parameters "<y>.<x>.<name>". Throws Error when x is not of the code's shape or a depth is not one of the
/// network's.
class UnrolledError final : public Factor {
 public:
  UnrolledError(Variable target, std::shared_ptr<const Unrolled> net, Variable source,
                UnrolledErrorOptions options = {});

  std::string name() const override { return "UnrolledError(" + target_.name + ", " + source_.name + ")"; }
  std::vector<Variable> scope() const override { return {target_, source_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  std::vector<Parameter> parameters() const override;
  /// |x - z_k(y)|^2 of each depth, [N] each.
  std::vector<Value> squared_errors(const State& state) const;
  const Variable& target() const { return target_; }

 private:
  Variable target_;
  std::shared_ptr<const Unrolled> net_;
  Variable source_;
  UnrolledErrorOptions options_;
};

}  // namespace basin
