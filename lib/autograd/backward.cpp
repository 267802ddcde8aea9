#include "autograd/backward.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "autograd/node.h"
#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Slot {
  bool needed = false;  // a wrt is reached through this node
  Value gradient;
  std::vector<Value> parts;  // what has reached the parts of an unstacked value
};
using Slots = std::unordered_map<const Value::Node*, Slot>;

/// The tracked nodes under the outputs, inputs before results. An explicit stack: graphs may be deeper than
/// the call stack.
std::vector<const Value*> topological_order(const std::vector<Value>& outputs, Slots& slots) {
  struct Frame {
    const Value* value;
    std::size_t next_input;
  };
  std::vector<const Value*> order;
  std::vector<Frame> stack;
  const auto visit = [&](const Value& value) {
    if (value.tracked() && slots.try_emplace(value.node().get()).second) stack.push_back({&value, 0});
  };
  for (const Value& output : outputs) {
    visit(output);
    while (!stack.empty()) {
      Frame& top = stack.back();
      const std::vector<Value>& inputs = top.value->node()->inputs;
      if (top.next_input < inputs.size()) {
        visit(inputs[top.next_input++]);
      } else {
        order.push_back(top.value);
        stack.pop_back();
      }
    }
  }
  return order;
}

/// Sums in the order in which gradients arrive, which the graph alone decides.
void accumulate(Value& sum, Value term) { sum = sum.defined() ? sum + term : std::move(term); }

/// What has reached a node: of an unstacked value the stack of its parts' gradients, zero where none came.
Value take_gradient(Slot& slot, const Value::Node& node) {
  if (slot.parts.empty()) return std::exchange(slot.gradient, Value());  // freed as soon as it is used up
  std::vector<Value> parts = std::exchange(slot.parts, {});
  Value zeros;
  for (Value& part : parts) {
    if (part.defined()) continue;
    if (!zeros.defined()) {
      Shape shape = node.tensor.shape();
      shape.erase(shape.begin() + node.many->axis);
      zeros = Tensor::zeros(std::move(shape), node.tensor.placement());
    }
    part = zeros;
  }
  return stack(parts, node.many->axis);
}

/// Runs the rule of one node and hands the gradients to its inputs.
void differentiate(const Value& value, const Value& gradient, Slots& slots, bool differentiable) {
  const Value::Node& node = *value.node();
  if (node.many && node.many->part >= 0) {
    const Value::Node& whole = *node.inputs[0].node();
    Slot& slot = slots.at(&whole);
    slot.parts.resize(static_cast<std::size_t>(whole.tensor.dim(whole.many->axis)));
    slot.parts[static_cast<std::size_t>(node.many->part)] = gradient;
    return;
  }
  std::vector<Value> constants;
  if (!differentiable) {
    constants.reserve(node.inputs.size());
    for (const Value& input : node.inputs) constants.push_back(input.detached());
  }
  const std::vector<Value>& inputs = constants.empty() ? node.inputs : constants;
  std::vector<Value> all;
  if (node.many && node.many->all_rule) all = node.many->all_rule(gradient, inputs);
  const Value output = differentiable ? value : value.detached();
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto slot = slots.find(node.inputs[i].node().get());
    if (slot == slots.end() || !slot->second.needed) continue;
    Value term = all.empty() ? node.rule(i, gradient, inputs, output) : all[i];
    if (!term.defined()) continue;
    if (term.shape() != inputs[i].shape()) {
      throw Error(fmt::format(
          "[grad] expected a gradient of shape {} from the rule of an op, received {}; correct that rule",
          to_string(inputs[i].shape()), to_string(term.shape())));
    }
    accumulate(slot->second.gradient, std::move(term));
  }
}

}  // namespace

std::vector<Value> backward(const char* who, const std::vector<Value>& outputs,
                            const std::vector<Value>& cotangents, const std::vector<Value>& wrt,
                            GradOptions options) {
  for (const Value& value : wrt) {
    if (!value.tracked()) {
      throw Error(
          fmt::format("[{}] expected to differentiate by leaves or by values computed from leaves, received "
                      "a constant; make it "
                      "one with Value::leaf",
                      who));
    }
  }
  Slots slots;
  const std::vector<const Value*> order = topological_order(outputs, slots);
  std::unordered_map<const Value::Node*, Value> results;
  for (const Value& value : wrt) {
    const auto slot = slots.find(value.node().get());
    if (slot != slots.end()) slot->second.needed = true;
    results.try_emplace(value.node().get());
  }
  for (const Value* value : order) {
    Slot& slot = slots.at(value->node().get());
    for (const Value& input : value->node()->inputs) {
      if (slot.needed) break;
      const auto found = slots.find(input.node().get());
      slot.needed = found != slots.end() && found->second.needed;
    }
  }

  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto slot = slots.find(outputs[k].node().get());
    if (slot == slots.end() || !slot->second.needed) continue;
    accumulate(slot->second.gradient, options.differentiable ? cotangents[k] : cotangents[k].detached());
  }
  for (auto value = order.rbegin(); value != order.rend(); ++value) {
    Slot& slot = slots.at((*value)->node().get());
    const Value gradient = take_gradient(slot, *(*value)->node());
    if (!gradient.defined()) continue;
    differentiate(**value, gradient, slots, options.differentiable);
    const auto result = results.find((*value)->node().get());
    if (result != results.end()) result->second = gradient;
  }

  std::vector<Value> gradients;
  gradients.reserve(wrt.size());
  for (const Value& value : wrt) {
    const Value& found = results.at(value.node().get());
    gradients.push_back(found.defined() ? found : zeros_like(value));
  }
  return gradients;
}

}  // namespace basin
