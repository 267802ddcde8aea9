#include "modules/activation.h"

#include "autograd/ops.h"

namespace basin {

Value Activation::forward(const Value& x, const Context&) const {
  switch (kind_) {
    case Kind::Sigmoid:
      return sigmoid(x);
    case Kind::Tanh:
      return tanh(x);
    case Kind::Softplus:
      return softplus(x);
    case Kind::Relu:
      break;
  }
  return relu(x);
}

}  // namespace basin
