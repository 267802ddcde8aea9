#include "energy/draw.h"

#include "tensor/backend.h"

namespace basin {

Tensor draw_one_hot(const Value& scores, Key key, Index first) {
  const Tensor& input = scores.tensor();
  Tensor drawn(input.shape(), input.placement());
  if (drawn.size() == 0) return drawn;
  const Index states = input.dim(1);
  const Tensor bias = Tensor::zeros({states}, input.placement());
  UnitCall call;
  call.dtype = input.dtype();
  call.unit = Unit::Categorical;
  call.rows = input.dim(0);
  call.units = call.group = states;
  call.input = input.data();
  call.bias = bias.data();
  call.key = key.bits();
  call.first_draw = static_cast<std::uint64_t>(first * states);
  call.sample = drawn.data();
  backend(input.device()).units(call);
  return drawn;
}

}  // namespace basin
