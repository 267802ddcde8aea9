#include "energy/factors/penalties/contractive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/sample_ops.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kElementsAtOnce = Index{1}
                                  << 22;  // of the copies of a batch that are differentiated together

/// An encoder that is a Linear layer, after a Flatten or not, and then a sigmoid or tanh; else without
/// layers.
struct OneLayer {
  explicit OneLayer(const Module& encoder) {
    const auto* sequence = dynamic_cast<const Sequential*>(&encoder);
    if (sequence == nullptr) return;
    const auto& modules = sequence->modules();
    const std::size_t first =
        !modules.empty() && dynamic_cast<const Flatten*>(modules[0].get()) != nullptr ? 1 : 0;
    if (modules.size() != first + 2) return;
    const auto* activation = dynamic_cast<const Activation*>(modules[first + 1].get());
    if (activation == nullptr) return;
    is_sigmoid = activation->kind() == Activation::Kind::Sigmoid;
    if (is_sigmoid || activation->kind() == Activation::Kind::Tanh)
      linear = dynamic_cast<const Linear*>(modules[first].get());
  }
  const Linear* linear = nullptr;
  bool is_sigmoid = false;
};

/// sum_j f'(a_j)^2 |W_j|^2, with W_j the weights of code j and f' = h (1 - h) or 1 - h^2.
Value closed_form(const OneLayer& layer, const Value& h) {
  const Value slope = layer.is_sigmoid ? h * (1.0 - h) : 1.0 - square(h);
  return sum_per_sample(square(slope) * sum(square(layer.linear->weight().value()), {0}));
}

/// In general by one vector-Jacobian product a code.
Value squared_jacobian(const Module& encoder, const Value& x) {
  const Index samples = x.dim(0), inputs = flatten(x).dim(1);
  const Shape code_shape = encoder.forward(x.detached()).shape();
  const Index codes = element_count({code_shape.begin() + 1, code_shape.end()});
  const Index at_once =
      std::clamp<Index>(kElementsAtOnce / std::max<Index>(1, samples * std::max(inputs, codes)), 1, codes);
  const Value all = identity(codes, x.placement());
  Value total;
  for (Index begin = 0; begin < codes; begin += at_once) {
    // A copy of the batch for each code, whose gradient is a row of the Jacobian.
    const Index count = std::min(at_once, codes - begin);
    Shape copies = x.shape();
    copies[0] = samples * count;
    Value at = reshape(broadcast_to(reshape(x, {samples, 1, inputs}), {samples, count, inputs}), copies);
    if (!at.tracked()) at = Value::leaf(at.tensor());
    const Value code = encoder.forward(at);
    const Value units = reshape(slice(all, 0, begin, begin + count), {1, count, codes});
    const Value rows =
        vector_jacobian_product(code, reshape(broadcast_to(units, {samples, count, codes}), code.shape()),
                                {at}, {.differentiable = true})
            .front();
    const Value part = sum_per_sample(square(reshape(rows, {samples, count * inputs})));
    total = total.defined() ? total + part : part;
  }
  return total;
}

}  // namespace

Contractive::Contractive(Variable x, std::shared_ptr<const Module> encoder, ContractiveOptions options)
    : variable_(std::move(x)), encoder_(std::move(encoder)), options_(options) {
  if (encoder_ == nullptr)
    throw Error(fmt::format("[{}] expected an encoder, received a null pointer", name()));
  if (!std::isfinite(options_.weight) || options_.weight < 0.0) {
    throw Error(fmt::format("[{}] expected a weight >= 0, received {}", name(), options_.weight));
  }
}

Value Contractive::energy(const State& state) const {
  const Value& x = state[variable_];
  return (rules().empty() ? squared_jacobian(*encoder_, x)
                          : closed_form(OneLayer(*encoder_), encoder_->forward(x))) *
         options_.weight;
}

Rules Contractive::rules() const {
  return options_.fuse == Fuse::Auto && OneLayer(*encoder_).linear != nullptr ? Rules{"contraction"}
                                                                              : Rules{};
}

std::vector<Parameter> Contractive::parameters() const {
  return prefixed_parameters(*encoder_, variable_.name);
}

}  // namespace basin
