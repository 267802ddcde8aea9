#include "energy/factors/contraction.h"

#include "autograd/ops.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential.h"

namespace basin {
namespace {

struct Layer {
  const Linear* linear = nullptr;
  const Activation* activation = nullptr;
};

Layer layer_of(const Module& encoder) {
  const auto* sequence = dynamic_cast<const Sequential*>(&encoder);
  if (sequence == nullptr) return {};
  const auto& modules = sequence->modules();
  const std::size_t first =
      !modules.empty() && dynamic_cast<const Flatten*>(modules[0].get()) != nullptr ? 1 : 0;
  if (modules.size() != first + 2) return {};
  return {dynamic_cast<const Linear*>(modules[first].get()),
          dynamic_cast<const Activation*>(modules[first + 1].get())};
}

}  // namespace

bool recognises_contraction(const Module& encoder) {
  const Layer layer = layer_of(encoder);
  return layer.linear != nullptr && layer.activation != nullptr &&
         (layer.activation->kind() == Activation::Kind::Sigmoid ||
          layer.activation->kind() == Activation::Kind::Tanh);
}

Value contraction(const Module& encoder, const Value& x) {
  const Layer layer = layer_of(encoder);
  const Value h = encoder.forward(x);
  const Value slope = layer.activation->kind() == Activation::Kind::Sigmoid ? h * (1.0 - h) : 1.0 - square(h);
  const Value norms = sum(square(layer.linear->weight().value()), {0});
  return sum_per_sample(square(slope) * norms);
}

}  // namespace basin
