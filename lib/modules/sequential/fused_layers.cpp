#include "modules/sequential/fused_layers.h"

#include "autograd/fused.h"
#include "autograd/ops.h"
#include "modules/activation.h"
#include "modules/images/conv2d.h"
#include "modules/images/pool2d.h"
#include "modules/linear.h"

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

/// A layer of products with a bias, and the function behind it.
struct Pattern {
  const Conv2d* conv = nullptr;   // this one
  const Linear* dense = nullptr;  // or this
  Unary function = Unary::Relu;
};

std::optional<Pattern> recognised(const std::vector<std::shared_ptr<const Module>>& modules,
                                  std::size_t first) {
  const auto* activation = at<Activation>(modules, first + 1);
  const std::optional<Unary> function = activation != nullptr ? function_of(*activation) : std::nullopt;
  if (!function) return std::nullopt;
  const auto* conv = at<Conv2d>(modules, first);
  if (conv != nullptr && conv->bias()) return Pattern{.conv = conv, .function = *function};
  // A single unit's bias would be summed in another order.
  const auto* dense = at<Linear>(modules, first);
  if (dense != nullptr && dense->bias() && dense->bias()->tensor().size() > 1)
    return Pattern{.dense = dense, .function = *function};
  return std::nullopt;
}

}  // namespace

bool are_fused_layers(const std::vector<std::shared_ptr<const Module>>& modules, std::size_t first) {
  return recognised(modules, first).has_value();
}

std::optional<FusedLayers> fused_layers(const std::vector<std::shared_ptr<const Module>>& modules,
                                        std::size_t first, const Value& x) {
  const std::optional<Pattern> found = recognised(modules, first);
  if (!found) return std::nullopt;
  if (found->dense != nullptr) {
    if (x.rank() != 2) return std::nullopt;
    return FusedLayers{biased(found->function, found->dense->without_bias(x), found->dense->bias()->value()),
                       2};
  }
  Value a = found->conv->without_bias(x);
  const auto* pool = at<Pool2d>(modules, first + 2);
  const bool pools = pool != nullptr && pool->kind() == Pool2d::Kind::Max;
  if (pools) a = max_pool2d(a, pool->window()).y;
  return FusedLayers{biased(found->function, a, found->conv->bias()->value()),
                     pools ? std::size_t{3} : std::size_t{2}};
}

}  // namespace basin
