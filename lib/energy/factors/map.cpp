#include "energy/factors/map.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

void expect_map(const std::string& factor, const std::shared_ptr<const Module>& module,
                const Variable& source, const Variable& target, const char* what, Placement placement) {
  if (module == nullptr) throw Error(fmt::format("[{}] expected a module, received a null pointer", factor));
  // One sample of zeros through the module, of some length where that is free: shapes are checked here, where
  // the user wrote them, not at the first step of training.
  constexpr Index kAnyLength = 3;
  const Shape one = batched(source.with_extent(kAnyLength), 1);
  const Index wanted = target.with_extent(kAnyLength).size();
  const std::vector<Parameter> all = module->parameters();
  const Shape out =
      module->forward(Tensor::zeros(one, all.empty() ? placement : all.front().tensor().placement())).shape();
  if (element_count(out) != wanted || out.empty() || out[0] != 1) {
    throw Error(
        fmt::format("[{}] expected the module to map {} to {} {} of {}, received shape {}; change the module "
                    "or the variable's shape",
                    factor, to_string(one), wanted, what, target.name, to_string(out)));
  }
}

std::vector<Parameter> prefixed_parameters(const Module& module, const std::string& prefix) {
  if (prefix.empty()) return module.parameters();
  std::vector<Parameter> all;
  for (const Parameter& parameter : module.parameters()) all.push_back(parameter.prefixed(prefix));
  return all;
}

Value delayed(const Value& x, Index delay) {
  if (delay == 0) return x;
  Shape before = x.shape();
  before[1] = std::min(delay, x.dim(1));
  const Value zeros = Tensor::zeros(before, x.placement());
  return before[1] == x.dim(1) ? zeros : concat({zeros, slice(x, 1, 0, x.dim(1) - delay)}, 1);
}

}  // namespace basin
