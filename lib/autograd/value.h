#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// A tensor and how it was made. Values are immutable; a constant carries no history, a leaf is what one
/// differentiates by, and a result carries history only when one of its inputs does.
class Value {
 public:
  /// The differentiation rule of an op: the gradient with respect to inputs[index], of that input's shape,
  /// written in differentiable ops itself, so that any order of derivative works. It is called only for
  /// inputs whose gradient is needed. It must use the `inputs` and `output` it is given (they are constants
  /// when nothing is to be recorded) and capture no Value. An undefined result stands for zero.
  using Rule = std::function<Value(std::size_t index, const Value& gradient, const std::vector<Value>& inputs,
                                   const Value& output)>;

  Value() = default;
  /// A constant.
  Value(Tensor tensor);  // NOLINT(google-explicit-constructor): every tensor is a constant Value
  /// Something to differentiate by.
  static Value leaf(Tensor tensor);
  /// The result of an op (used by ops only).
  static Value result(Tensor tensor, std::vector<Value> inputs, Rule rule);

  bool defined() const { return node_ != nullptr; }
  /// True when grad() can reach a leaf through this value.
  bool tracked() const;
  /// The same tensor as a constant.
  Value detached() const;

  /// Throws Error when the value is undefined.
  const Tensor& tensor() const;
  const Shape& shape() const { return tensor().shape(); }
  Index rank() const { return tensor().rank(); }
  Index dim(Index axis) const { return tensor().dim(axis); }
  Placement placement() const { return tensor().placement(); }
  double item() const { return tensor().item(); }

  struct Node;
  const std::shared_ptr<Node>& node() const { return node_; }

 private:
  std::shared_ptr<Node> node_;
};

}  // namespace basin
