#include "modules/dropout.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "modules/noise.h"
#include "tensor/error.h"

namespace basin {

Dropout::Dropout(double rate) : rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0)) {
    throw Error(fmt::format(
        "[dropout] expected a rate in [0, 1), received {}; give the share of elements to drop", rate));
  }
}

Value Dropout::forward(const Value& x, const Context& context) const {
  if (!context.key || rate_ == 0.0) return x;
  const double stays = 1.0 - rate_;
  const Value mask = step(stays - uniform_noise("dropout", x, context));  // u < stays
  return x * (mask * (1.0 / stays));
}

}  // namespace basin
