#pragma once

#include <string>
#include <vector>

#include "energy/factors/pooled_maps.h"
#include "tensor/key.h"

namespace basin {

/// E(v, h) = -sum_k sum_ij d_kij (W_k * v)_ij, d the detections of pooled maps, W * v the correlation of an
/// image with filters at every place where they fit ("valid"). Parameter "<v>.<h>.weight", [maps, channels,
/// size, size], ~ N(0, scale^2) drawn under `key`. Throws Error when image, filters and maps do not fit.
/// Reference: Lee, Grosse, Ranganath, Ng 2009, section 3.1.
class ConvBilinear final : public Factor {
 public:
  /// `image` is [height, width] or [channels, height, width].
  ConvBilinear(Variable image, PooledMaps maps, Index size, Key key, double scale = 0.01);

  std::string name() const override;
  std::vector<Variable> scope() const override { return {image_, maps_.variable}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {weight_}; }

  const Parameter& weight() const { return weight_; }
  const PooledMaps& maps() const { return maps_; }

 private:
  Variable image_;
  PooledMaps maps_;
  Parameter weight_;
};

}  // namespace basin
