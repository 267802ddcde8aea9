#include <algorithm>
#include <iterator>
#include <utility>

#include "autograd/node.h"
#include "tensor/error.h"

namespace basin {

Value::Node::~Node() {
  // A child that only we own would destroy its own children inside our destructor, and so on down the graph:
  // take its inputs first, so that every destructor finds nothing left to recurse into.
  std::vector<Value> pending = std::move(inputs);
  while (!pending.empty()) {
    const Value child = std::move(pending.back());
    pending.pop_back();
    if (child.node_ && child.node_.use_count() == 1) {
      std::vector<Value>& grandchildren = child.node_->inputs;
      std::move(grandchildren.begin(), grandchildren.end(), std::back_inserter(pending));
      grandchildren.clear();
    }
  }
}

Value::Value(Tensor tensor) : node_(std::make_shared<Node>(std::move(tensor), false)) {}

Value Value::leaf(Tensor tensor) {
  Value value(std::move(tensor));
  value.node_->tracked = true;
  return value;
}

Value Value::result(Tensor tensor, std::vector<Value> inputs, Rule rule) {
  Value value(std::move(tensor));
  if (std::any_of(inputs.begin(), inputs.end(), [](const Value& input) { return input.tracked(); })) {
    value.node_->tracked = true;
    value.node_->inputs = std::move(inputs);
    value.node_->rule = std::move(rule);
  }
  return value;
}

bool Value::tracked() const { return node_ && node_->tracked; }

Value Value::detached() const { return tracked() ? Value(node_->tensor) : *this; }

const Tensor& Value::tensor() const {
  if (!node_) {
    throw Error(
        "[value] expected a value that holds a tensor, received an undefined one; assign it before use");
  }
  return node_->tensor;
}

}  // namespace basin
