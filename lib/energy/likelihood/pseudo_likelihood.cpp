#include "energy/likelihood/pseudo_likelihood.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {

double pseudo_likelihood(const FactorGraph& graph, const Variable& v, const Block& latents, const State& data,
                         Key key) {
  if (v.domain != Domain::Binary) {
    throw Error(fmt::format("[pseudo_likelihood] expected a binary variable, received {} which is {}", v.name,
                            to_string(v.domain)));
  }
  const Value& x = data[v];
  const Index samples = x.dim(0), bits = v.size();
  std::vector<double> chosen(static_cast<std::size_t>(samples * bits), 0.0);
  const std::vector<double> draws =
      uniform(key, {samples}, {Dtype::F64, Device::Cpu}, static_cast<std::uint64_t>(data.context().own_row()))
          .values();
  for (Index n = 0; n < samples; ++n) {
    const auto bit = static_cast<Index>(draws[static_cast<std::size_t>(n)] * static_cast<double>(bits));
    chosen[static_cast<std::size_t>(n * bits + bit)] = 1.0;
  }
  const Value flip = Tensor::from(std::span<const double>(chosen), x.shape(), x.placement());
  const Value flipped = x.detached() + flip * (1.0 - 2.0 * x.detached());  // 1 - x where chosen
  const Value difference =
      free_energy(graph, latents, data) - free_energy(graph, latents, data.with(v, flipped));
  return -static_cast<double>(bits) * mean(softplus(difference)).item();
}

}  // namespace basin
