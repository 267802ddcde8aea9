#pragma once

#include <memory>
#include <vector>

#include "autograd/value.h"

namespace basin {

/// What a Value points to: the tensor and, when tracked, the inputs and the rule it came from (a leaf has
/// neither).
struct Value::Node {
  Tensor tensor;
  bool tracked = false;
  std::vector<Value> inputs;
  Rule rule;

  Node(Tensor t, bool track) : tensor(std::move(t)), tracked(track) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Takes a chain of any length apart without recursion.
  ~Node();
};

}  // namespace basin
