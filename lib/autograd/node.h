#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "autograd/value.h"

namespace basin {

/// What takes the place of a rule where a node has very many inputs, or very many parts, so that derivatives
/// are linear in their number, and where one kernel gives all gradients.
struct Many {
  /// The gradients of all inputs at once, from what a Value::Rule is given.
  std::function<std::vector<Value>(const Value& gradient, const std::vector<Value>& inputs)> all_rule;
  /// Of a value with parts: the axis they lie along. What reaches them is stacked once, not padded with zeros
  /// and added up part by part.
  Index axis = -1;
  /// Of a part of its only input: its place along that axis.
  Index part = -1;
};

/// What a Value points to: the tensor and, when tracked, the inputs and the rule it came from (a leaf has
/// neither).
struct Value::Node {
  Tensor tensor;
  bool tracked = false;
  std::vector<Value> inputs;
  Rule rule;
  std::unique_ptr<Many> many;  // of nodes that stack, unstack or walk over steps

  Node(Tensor t, bool track) : tensor(std::move(t)), tracked(track) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Takes a chain of any length apart without recursion.
  ~Node();
};

}  // namespace basin
