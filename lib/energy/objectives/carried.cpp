#include "energy/objectives/carried.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {

Tensor carried(Carry& carry, const std::string& name, const Shape& shape, Placement placement) {
  const auto found = carry.find(name);
  if (found == carry.end() || !found->second.defined()) return {};
  if (found->second.shape() != shape) {
    throw Error(fmt::format(
        "[contrastive_divergence] expected carried {} of shape {}, received {}; start with an empty carry",
        name, to_string(shape), to_string(found->second.shape())));
  }
  found->second = found->second.to(placement);
  return found->second;
}

Tensor first_samples(const Tensor& batch, Index chains) {
  const Index samples = batch.dim(0);
  if (samples < 1)
    throw Error("[contrastive_divergence] expected at least one sample to start chains from, received none");
  Shape shape = batch.shape();
  shape[0] = chains;
  const Tensor start(shape, batch.placement());
  for (Index begin = 0; begin < chains; begin += samples) {
    const Index count = std::min(samples, chains - begin);
    start.rows(begin, begin + count).copy_from(batch.rows(0, count));
  }
  return start;
}

Tensor slide_offset(Carry& carry, const std::string& variable, const Tensor& mean, double rate) {
  const std::string name = "offset." + variable;
  const Tensor offset = carried(carry, name, mean.shape(), mean.placement());
  if (!offset.defined()) return carry[name] = mean.clone();
  backend(mean.device()).axpby(mean.dtype(), rate, mean.data(), 1.0 - rate, offset.data(), mean.size());
  return offset;
}

std::vector<Tensor> fast_weights(Carry& carry, const std::vector<Parameter>& parameters) {
  std::vector<Tensor> fast;
  for (const Parameter& parameter : parameters) {
    const std::string name = "fast." + parameter.name();
    const Tensor& slow = parameter.tensor();
    Tensor tensor = carried(carry, name, slow.shape(), slow.placement());
    if (!tensor.defined()) tensor = carry[name] = Tensor::zeros(slow.shape(), slow.placement());
    fast.push_back(std::move(tensor));
  }
  return fast;
}

void update_fast_weights(const std::vector<Tensor>& fast, const std::vector<Gradient>& gradients,
                         double rate) {
  for (std::size_t i = 0; i < fast.size(); ++i) gradients[i].accumulate(fast[i], -rate, 19.0 / 20.0);
}

}  // namespace basin
