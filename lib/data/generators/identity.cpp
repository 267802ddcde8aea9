#include "data/generators/identity.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

Samples identity(Index count) {
  if (count < 0) throw Error(fmt::format("[identity] expected a count >= 0, received {}", count));
  const Tensor numbers({count, 1});
  for (Index i = 0; i < count; ++i)
    numbers.host<float>()[i] =
        count == 1 ? 0.5f : -0.5f + static_cast<float>(i) / static_cast<float>(count - 1);
  return {real_column("number", numbers), real_column("target", numbers)};
}

}  // namespace basin
