#pragma once

#include <memory>
#include <string>

#include "autograd/value.h"

namespace basin {

/// A named trainable tensor; a handle, so that copies of a model share it.
/// set() and to() make a new leaf for all who share it; values computed before keep the old one. The
/// constructor throws Error on an undefined tensor.
class Parameter {
 public:
  Parameter(std::string name, Tensor tensor);
  /// A tensor that a module keeps among its parameters and that nothing trains (statistics of batches):
  /// optimizers leave it alone, and after a step it becomes what Context::observe says.
  static Parameter buffer(std::string name, Tensor tensor);
  bool is_trained() const { return is_trained_; }

  const std::string& name() const;
  /// The leaf to compute with and to differentiate by.
  const Value& value() const;
  const Tensor& tensor() const { return value().tensor(); }
  /// Replaces the tensor (Error unless the shape agrees) by one of any dtype and device; optimizers write
  /// into tensor() in place instead.
  void set(Tensor tensor);
  void to(Placement placement);
  /// The same parameter under "prefix.name".
  Parameter prefixed(const std::string& prefix) const;

 private:
  struct Content;
  std::string name_;
  bool is_trained_ = true;
  std::shared_ptr<Content> content_;
};

}  // namespace basin
