#pragma once

#include <map>
#include <vector>

#include "tensor/backend.h"
#include "tensor/tensor.h"

namespace basin {

/// Checks of many tensors that wait once: each check raises a flag on its tensor's device, and raised() reads
/// all flags in one download a device.
class Flags {
 public:
  /// `count` flags, none raised.
  explicit Flags(Index count) : count_(count) {}

  /// Raises flag i, in 0 .. count - 1, when a number of x fails. Does not wait.
  void check(Index i, Check what, const Tensor& x);
  /// The flags that are up, in rising order.
  std::vector<Index> raised() const;

 private:
  Index count_;
  std::map<Device, Tensor> flags_;  // [count] f32
};

}  // namespace basin
