#include "energy/factors/linear_input.h"

#include "autograd/ops.h"

namespace basin {

Value LinearInput::energy(const State& state) const {
  return -sum_per_sample(state[variable_] * state[input_]);
}

}  // namespace basin
