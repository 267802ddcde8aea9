#include "energy/demanded.h"

#include "autograd/ops.h"
#include "tensor/demands.h"
#include "tensor/error.h"

namespace basin {

void demand_none(const std::string& name, const Value& fault, const std::string& message) {
  const Value none = fault.detached();
  if (Demands* later = Demands::of(none.tensor().device())) {
    const Value passes = 1.0 - step(none) - 0.0 * none;  // a NaN stays one
    later->check(name, Check::Positive, passes.tensor(), [message] { throw Error(message); });
  } else if (sum(none).item() != 0.0) {
    throw Error(message);
  }
}

}  // namespace basin
