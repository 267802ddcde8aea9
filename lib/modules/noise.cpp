#include "modules/noise.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {

Value uniform_noise(std::string_view who, const Value& x, const Context& context) {
  const Index rows = x.dim(0), samples = rows / context.replicas;
  if (samples * context.replicas != rows) {
    throw Error(fmt::format("[{}] expected {} rows a sample, received {} rows; give whole samples", who,
                            context.replicas, rows));
  }
  if (samples == 0) return x.detached();
  const Index size = x.tensor().size() / rows;
  const auto first = static_cast<std::uint64_t>(context.first_row * size);
  if (context.replicas == 1) return uniform(*context.key, x.shape(), x.placement(), first);
  const Value drawn = uniform(*context.key, {samples, 1, size}, x.placement(), first);
  return reshape(broadcast_to(drawn, {samples, context.replicas, size}), x.shape());
}

}  // namespace basin
