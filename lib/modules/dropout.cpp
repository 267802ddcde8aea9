#include "modules/dropout.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// One uniform an element, the same in all replicas of a sample.
Value uniforms(const Value& x, const Context& context) {
  const Index rows = x.dim(0), samples = rows / context.replicas;
  if (samples * context.replicas != rows) {
    throw Error(fmt::format("[dropout] expected {} rows a sample, received {} rows; give whole samples",
                            context.replicas, rows));
  }
  if (samples == 0) return x.detached();
  const Index size = x.tensor().size() / rows;
  const auto first = static_cast<std::uint64_t>(context.first_row * size);
  if (context.replicas == 1) return uniform(*context.key, x.shape(), x.placement(), first);
  const Value drawn = uniform(*context.key, {samples, 1, size}, x.placement(), first);
  return reshape(broadcast_to(drawn, {samples, context.replicas, size}), x.shape());
}

}  // namespace

Dropout::Dropout(double rate) : rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0)) {
    throw Error(fmt::format(
        "[dropout] expected a rate in [0, 1), received {}; give the share of elements to drop", rate));
  }
}

Value Dropout::forward(const Value& x, const Context& context) const {
  if (!context.key || rate_ == 0.0) return x;
  const double stays = 1.0 - rate_;
  const Value mask = step(stays - uniforms(x, context));  // u < stays
  return x * (mask * (1.0 / stays));
}

}  // namespace basin
