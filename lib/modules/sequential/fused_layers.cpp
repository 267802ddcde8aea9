#include "modules/sequential/fused_layers.h"

#include "autograd/fused.h"
#include "autograd/ops.h"
#include "modules/activation.h"
#include "modules/images/conv2d.h"
#include "modules/images/pool2d.h"

namespace basin {
namespace {

/// The kernel's function that an activation is.
std::optional<Unary> function_of(const Activation& activation) {
  switch (activation.kind()) {
    case Activation::Kind::Relu:
      return Unary::Relu;
    case Activation::Kind::Tanh:
      return Unary::Tanh;
    case Activation::Kind::Sigmoid:
      return Unary::Sigmoid;
    default:
      return std::nullopt;
  }
}

template <class M>
const M* at(const std::vector<std::shared_ptr<const Module>>& modules, std::size_t i) {
  return i < modules.size() ? dynamic_cast<const M*>(modules[i].get()) : nullptr;
}

struct Pattern {
  const Conv2d& conv;
  Unary function;
};

std::optional<Pattern> recognised(const std::vector<std::shared_ptr<const Module>>& modules,
                                  std::size_t first) {
  const auto* conv = at<Conv2d>(modules, first);
  const auto* activation = at<Activation>(modules, first + 1);
  if (conv == nullptr || activation == nullptr || !conv->bias()) return std::nullopt;
  const std::optional<Unary> function = function_of(*activation);
  return function ? std::optional<Pattern>({*conv, *function}) : std::nullopt;
}

}  // namespace

bool are_fused_layers(const std::vector<std::shared_ptr<const Module>>& modules, std::size_t first) {
  return recognised(modules, first).has_value();
}

std::optional<FusedLayers> fused_layers(const std::vector<std::shared_ptr<const Module>>& modules,
                                        std::size_t first, const Value& x) {
  const std::optional<Pattern> found = recognised(modules, first);
  if (!found) return std::nullopt;
  Value a = found->conv.without_bias(x);
  const auto* pool = at<Pool2d>(modules, first + 2);
  const bool pools = pool != nullptr && pool->kind() == Pool2d::Kind::Max;
  if (pools) a = max_pool2d(a, pool->window()).y;
  return FusedLayers{biased(found->function, a, found->conv.bias()->value()),
                     pools ? std::size_t{3} : std::size_t{2}};
}

}  // namespace basin
