#pragma once

#include <memory>
#include <vector>

#include "autograd/value.h"

namespace basin {

/// The gradients of all inputs of an op that finds them together, from one input's turn to the next.
struct Turn {
  std::weak_ptr<Value::Node> gradient;  // of the output, by which they were found
  std::vector<Value> gradients;
};

}  // namespace basin
