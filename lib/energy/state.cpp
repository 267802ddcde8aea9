#include "energy/state.h"

#include <fmt/format.h>

#include <utility>

#include "tensor/error.h"

namespace basin {

State& State::set(const Variable& variable, Value value) {
  const auto index = static_cast<std::size_t>(variable.index);
  const Shape received = value.defined() ? value.shape() : Shape{};
  if (received.empty() || !variable.fits(Shape(received.begin() + 1, received.end()))) {
    throw Error(fmt::format(
        "[state] expected {} to be [N, ...] with samples of shape {}, received {}; put the batch first",
        variable.name, to_string(variable.shape),
        value.defined() ? "shape " + to_string(received) : "an undefined value"));
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (i != index && values_[i].defined() && values_[i].dim(0) != received[0]) {
      throw Error(
          fmt::format("[state] expected {} samples of {} as of the variables already set, received {}; start "
                      "from an empty State for another batch",
                      values_[i].dim(0), variable.name, received[0]));
    }
  }
  if (index >= values_.size()) {
    values_.resize(index + 1);
  }
  values_[index] = std::move(value);
  return *this;
}

State State::with(const Variable& variable, Value value) const {
  State copy = *this;
  copy.set(variable, std::move(value));
  return copy;
}

bool State::has(const Variable& variable) const {
  const auto index = static_cast<std::size_t>(variable.index);
  return index < values_.size() && values_[index].defined();
}

const Value& State::operator[](const Variable& variable) const {
  if (!has(variable)) {
    throw Error(fmt::format("[state] variable {} has no value; set it, or move it by a transition first",
                            variable.name));
  }
  return values_[static_cast<std::size_t>(variable.index)];
}

bool State::empty() const {
  for (const Value& value : values_) {
    if (value.defined()) {
      return false;
    }
  }
  return true;
}

const Value& State::first(const char* what) const {
  for (const Value& value : values_) {
    if (value.defined()) {
      return value;
    }
  }
  throw Error(fmt::format("[state] no variable has a value, so there is no {}; set one first", what));
}

State& State::in(Context context) {
  context_ = std::move(context);
  return *this;
}

State& State::remember(const std::string& name, Value value) {
  memory_[name] = std::move(value);
  return *this;
}

Value State::recall(const std::string& name) const {
  const auto found = memory_.find(name);
  return found == memory_.end() ? Value() : found->second;
}

Index State::batch() const { return first("batch size").dim(0); }

Placement State::placement() const { return first("placement").placement(); }

}  // namespace basin
