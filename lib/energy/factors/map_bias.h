#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/factors/pooled_maps.h"

namespace basin {

/// E(x) = -sum_k b_k sum_ij x_kij: one bias a map of a variable of shape [maps, height, width] (or [height,
/// width]: one map), or of the detections of pooled maps. Parameter "<x>.bias", [maps], `value` at first.
/// Throws Error for other shapes.
class MapBias final : public Factor {
 public:
  explicit MapBias(Variable x, double value = 0.0);
  /// Of the detections of `maps`.
  explicit MapBias(PooledMaps maps, double value = 0.0);

  std::string name() const override { return "MapBias(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {bias_}; }

  const Parameter& bias() const { return bias_; }

 private:
  Variable variable_;
  std::optional<PooledMaps> maps_;
  Parameter bias_;
};

}  // namespace basin
