#pragma once

#include <optional>

#include "modules/module.h"

namespace basin {

struct BatchNormOptions {
  double momentum = 0.1;  // share of a batch in the running statistics
  double epsilon = 1e-5;
  bool affine = true;
  Placement placement = {};
};

/// y = scale (x - m) / sqrt(v + epsilon) + shift of each feature:  x [N, F] or [N, F, ...], scale and shift
/// [F].
///
/// Where the context asks for observations of its buffers (training, see Context::observes), m and v are mean
/// and variance over the batch and all places of it, differentiated through, and the buffers become (1 -
/// momentum) old + momentum new, the new variance unbiased. Else m and v are the buffers: no sample depends
/// on another.
///
/// Parameters "scale" (starts at 1) and "shift" (0), buffers "mean" (0) and "variance" (1). forward throws
/// Error where x does not have F features, and in training where there is one sample.
/// Reference: Ioffe and Szegedy 2015, "Batch normalization", algorithms 1 and 2.
class BatchNorm final : public Module {
 public:
  explicit BatchNorm(Index features, BatchNormOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

 private:
  BatchNormOptions options_;
  Parameter mean_, variance_;
  std::optional<Parameter> scale_, shift_;
};

}  // namespace basin
