#include "modules/parameter.h"

#include <fmt/format.h>

#include <utility>

#include "tensor/error.h"

namespace basin {

struct Parameter::Content {
  Value leaf;
};

Parameter::Parameter(std::string name, Tensor tensor) : name_(std::move(name)) {
  if (!tensor.defined()) {
    throw Error(fmt::format(
        "[parameter] expected a tensor for '{}', received an undefined one; give its initial value", name_));
  }
  content_ = std::make_shared<Content>(Content{Value::leaf(std::move(tensor))});
}

Parameter Parameter::buffer(std::string name, Tensor tensor) {
  Parameter made(std::move(name), std::move(tensor));
  made.is_trained_ = false;
  return made;
}

const std::string& Parameter::name() const { return name_; }

const Value& Parameter::value() const { return content_->leaf; }

void Parameter::set(Tensor tensor) {
  if (!tensor.defined() || tensor.shape() != value().shape()) {
    throw Error(
        fmt::format("[parameter] expected shape {} for '{}', received {}; a parameter keeps its shape",
                    to_string(value().shape()), name_,
                    tensor.defined() ? to_string(tensor.shape()) : "an undefined tensor"));
  }
  content_->leaf = Value::leaf(std::move(tensor));
}

void Parameter::to(Placement placement) {
  if (tensor().placement() != placement) set(tensor().to(placement));
}

Parameter Parameter::prefixed(const std::string& prefix) const {
  Parameter result = *this;
  result.name_ = prefix + "." + name_;
  return result;
}

}  // namespace basin
