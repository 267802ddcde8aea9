#include "energy/factors/contractive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/contraction.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kElementsAtOnce = Index{1}
                                  << 22;  // of the copies of a batch that are differentiated together

/// Rows begin .. begin + count of the identity of order n, [1, count, n].
Tensor unit_rows(Index begin, Index count, Index n, Placement placement) {
  std::vector<double> values(static_cast<std::size_t>(count * n), 0.0);
  for (Index i = 0; i < count; ++i) values[static_cast<std::size_t>(i * n + begin + i)] = 1.0;
  return Tensor::from(values, {1, count, n}, placement);
}

}  // namespace

Value squared_jacobian(const Module& encoder, const Value& x) {
  const Index samples = x.dim(0), inputs = flatten(x).dim(1);
  const Shape code_shape = encoder.forward(x.detached()).shape();
  const Index codes = element_count({code_shape.begin() + 1, code_shape.end()});
  const Index at_once =
      std::clamp<Index>(kElementsAtOnce / std::max<Index>(1, samples * std::max(inputs, codes)), 1, codes);
  Value total;
  for (Index begin = 0; begin < codes; begin += at_once) {
    // A copy of the batch for each code, whose gradient is a row of the Jacobian.
    const Index count = std::min(at_once, codes - begin);
    Shape copies = x.shape();
    copies[0] = samples * count;
    Value at = reshape(broadcast_to(reshape(x, {samples, 1, inputs}), {samples, count, inputs}), copies);
    if (!at.tracked()) at = Value::leaf(at.tensor());
    const Value code = encoder.forward(at);
    const Value units =
        reshape(broadcast_to(Value(unit_rows(begin, count, codes, x.placement())), {samples, count, codes}),
                code.shape());
    const Value rows = vector_jacobian_product(code, units, {at}, {.differentiable = true}).front();
    const Value part = sum_per_sample(square(reshape(rows, {samples, count * inputs})));
    total = total.defined() ? total + part : part;
  }
  return total;
}

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
  return (rules().empty() ? squared_jacobian(*encoder_, x) : contraction(*encoder_, x)) * options_.weight;
}

Rules Contractive::rules() const {
  return options_.fuse == Fuse::Auto && recognises_contraction(*encoder_) ? Rules{"contraction"} : Rules{};
}

std::vector<Parameter> Contractive::parameters() const {
  std::vector<Parameter> all;
  for (const Parameter& parameter : encoder_->parameters()) all.push_back(parameter.prefixed(variable_.name));
  return all;
}

}  // namespace basin
