#include "energy/sample/projections.h"

#include <utility>

#include "autograd/ops.h"
#include "tensor/random.h"

namespace basin {

Watch random_projections(Block variables, Index count, Key key) {
  return [variables = std::move(variables), count, key](const FactorGraph&, const State& state) {
    Value seen;
    for (const Variable& variable : variables) {
      const Value flat = flatten(state[variable].detached());
      const Tensor directions = normal(key.fold(variable.name), {flat.dim(1), count}, flat.placement());
      const Value now = matmul(flat, Value(directions));
      seen = seen.defined() ? seen + now : now;
    }
    return seen;
  };
}

}  // namespace basin
