#pragma once

#include <vector>

#include "autograd/value.h"
#include "energy/variable.h"
#include "tensor/key.h"

namespace basin {

/// Discrete variables that leave an energy together: what a factor of Order::Joint says of its latents x, the
/// rest given. With scores s(x) = -E(x) and a drive d_i for each variable, which is what other factors pull
/// at it (-dE/dx_i, [N, shape...]), s(x) + sum_i d_i.x_i is summed over, maximised or drawn from. Derivatives
/// of the first two, in the drives and in what the scores were made of, are marginals and best values.
class Structure {
 public:
  virtual ~Structure() = default;
  /// log sum_x exp(s(x) + sum_i d_i.x_i), [N].
  virtual Value log_sum(const std::vector<Value>& drives) const = 0;
  /// max_x of the same, [N]; gradients are those of what attains it.
  virtual Value maximum(const std::vector<Value>& drives) const = 0;
  /// A draw x ~ exp(s(x) + ...) / Z, in the order of the drives, without history; row n takes the draws of
  /// row first + n.
  virtual std::vector<Value> sample(const std::vector<Value>& drives, Key key, Index first) const = 0;
};

}  // namespace basin
