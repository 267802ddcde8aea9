#pragma once

#include <map>
#include <string>

#include "tensor/tensor.h"

namespace basin {

/// Named work tensors that live from call to call, so that loops allocate nothing once warm. A copy makes
/// tensors of its own.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch& /*other*/) {}
  Scratch& operator=(const Scratch&) = delete;

  /// The tensor of that name; its content is what the last user left. Made anew when shape or placement
  /// change.
  const Tensor& get(const std::string& name, const Shape& shape, Placement placement) {
    Tensor& tensor = tensors_[name];
    if (!tensor.defined() || tensor.shape() != shape || tensor.placement() != placement)
      tensor = Tensor(shape, placement);
    return tensor;
  }

 private:
  std::map<std::string, Tensor> tensors_;
};

}  // namespace basin
