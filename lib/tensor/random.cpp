#include "tensor/random.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/philox.h"

namespace basin {

Tensor uniform(Key key, Shape shape, Placement placement, std::uint64_t first) {
  Tensor y(std::move(shape), placement);
  backend(y.device()).uniform(y.dtype(), key.bits(), first, y.data(), y.size());
  return y;
}

Tensor normal(Key key, Shape shape, Placement placement, std::uint64_t first) {
  Tensor y(std::move(shape), placement);
  backend(y.device()).normal(y.dtype(), key.bits(), first, y.data(), y.size());
  return y;
}

Tensor bernoulli(Key key, const Tensor& p, std::uint64_t first) {
  if (!p.defined())
    throw Error("[bernoulli] expected a tensor of probabilities, received one without storage");
  Tensor y(p.shape(), p.placement());
  backend(y.device()).bernoulli(y.dtype(), key.bits(), first, p.data(), y.data(), y.size());
  return y;
}

std::vector<Index> permutation(Key key, Index count) {
  if (count < 0) throw Error(fmt::format("[permutation] expected a count >= 0, received {}", count));
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::uint64_t i = order.size(); i-- > 1;) {
    // Exchange i with a place in 0 .. i, from words 2i and 2i + 1; 64 bits make the modulo's bias less than
    // count / 2^64.
    const PhiloxBlock block = philox_block(key.bits(), i / 2);
    const std::size_t at = 2 * (i % 2);
    const std::uint64_t place = (std::uint64_t{block[at + 1]} << 32 | block[at]) % (i + 1);
    std::swap(order[i], order[place]);
  }
  return order;
}

}  // namespace basin
