#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "autograd/ops.h"
#include "energy/minimise/unroll/unroll_layers.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kDrive = "unroll.drive";  // We y + bias, where all layers share it

/// z <- shrink(x, theta) with the `selected` largest of what passes unshrunk.
Value shrunk(const Value& x, const Value& threshold, bool is_wall, Index selected) {
  const Value theta = relu(threshold);
  const Value z = is_wall ? relu(x - theta) : shrink(x, theta);
  if (selected == 0) return z;
  // What passes is x - theta sign(x): giving theta sign(z) back to the largest ones leaves x, and 0 where z
  // is 0.
  const Value size = is_wall ? x.detached() : abs(x.detached());
  return z + theta * (largest(size, selected) * sign(z.detached()));
}

struct Weights {
  std::optional<Parameter> encoder, inhibition, threshold, bias, gain;
};

/// One layer of LISTA.
class ListaLayer final : public Transition {
 public:
  struct Constants {
    Tensor dictionary;  // [n, m], of coupled layers
    Tensor mask;        // [n, n], of partial inhibition
    bool is_wall = false;
    bool shared_drive = false;
    Index selected = 0;
    Variable from, to;
  };
  ListaLayer(Weights weights, Constants constants)
      : weights_(std::move(weights)), constants_(std::move(constants)) {}

  std::string name() const override { return "ListaLayer"; }
  State operator()(const FactorGraph&, const State& state, Key) const override {
    State moved = state;
    const Value y = flatten(state[constants_.from]), z = flatten(state[constants_.to]);
    // The first layer starts from zeros, which no product needs.
    const bool first = !state.recall(kDrive).defined();
    const Value input = constants_.dictionary.defined() ? coupled(y, z, first) : free(y, z, first, moved);
    if (first && !moved.recall(kDrive).defined()) moved.remember(kDrive, y);
    const Value code = shrunk(input, weights_.threshold->value(), constants_.is_wall, constants_.selected);
    moved.set(constants_.to, reshape(code, state[constants_.to].shape()));
    return moved;
  }

 private:
  Value biased(Value x) const { return weights_.bias ? x + weights_.bias->value() : x; }

  /// z + gain (y - z A') W + bias.
  Value coupled(const Value& y, const Value& z, bool first) const {
    const Value residual = first ? y : y - matmul(z, constants_.dictionary);
    Value change = matmul(residual, weights_.encoder->value());
    if (weights_.gain) change = change * weights_.gain->value();
    return biased(first ? change : z + change);
  }

  /// y We + z S + bias.
  Value free(const Value& y, const Value& z, bool first, State& memory) const {
    Value drive = memory.recall(kDrive);
    if (first || !constants_.shared_drive) {
      drive = biased(matmul(y, weights_.encoder->value()));
      memory.remember(kDrive, drive);
    }
    if (first) return drive;
    const Value& inhibition = weights_.inhibition->value();
    return drive + matmul(z, constants_.mask.defined() ? inhibition * constants_.mask : inhibition);
  }

  Weights weights_;
  Constants constants_;
};

/// 1 on the diagonal and at the `fraction` largest of each row's other numbers.
Tensor inhibition_mask(const Tensor& inhibition, double fraction) {
  const Index n = inhibition.dim(0);
  const Value one = identity(n, inhibition.placement());
  const Value others = abs(Value(inhibition)) * (1.0 - one) - one;  // the diagonal, -1, comes last
  const auto kept = static_cast<Index>(std::lround(fraction * static_cast<double>(n - 1)));
  return (largest(others, kept) + one).tensor();
}

}  // namespace

UnrolledLayers unroll_ista(const UnrollQuadratic& form, double step, const Variable& from, const Variable& to,
                           const UnrollOptions& options) {
  const Index n = to.size();
  const Placement placement = form.hessian.placement();
  const bool tied = options.sharing == Sharing::Tied;
  ListaLayer::Constants constants;
  constants.is_wall = form.is_wall;
  constants.from = from;
  constants.to = to;
  constants.shared_drive = tied;
  if (options.coupled) constants.dictionary = dictionary_of(form);

  const Value scaled_hessian = Value(form.hessian) * step;
  Tensor inhibition = (Value(identity(n, placement)) - scaled_hessian).tensor();
  if (options.inhibition < 1.0) {
    constants.mask = inhibition_mask(inhibition, options.inhibition);
    inhibition = (Value(inhibition) * constants.mask).tensor();
  }

  UnrolledLayers result;
  const auto parameter = [&](const std::string& name, const Tensor& initial) {
    result.parameters.emplace_back(name, initial.clone());
    return result.parameters.back();
  };
  Weights weights;
  for (Index k = 0; k < options.steps; ++k) {
    const std::string own = std::to_string(k) + ".", matrices = tied ? "" : own;
    if (!tied || k == 0) {
      weights.encoder = parameter(matrices + "encoder", (Value(form.projection) * step).tensor());
      if (form.has_offset) weights.bias = parameter(matrices + "bias", (Value(form.offset) * step).tensor());
    }
    if (!options.coupled && (tied ? k == 1 : k > 0)) {
      weights.inhibition = parameter(matrices + "inhibition", inhibition);
    }
    weights.threshold = parameter(
        own + "threshold", Tensor::full({options.threshold_per_unit ? n : 1}, step * form.weight, placement));
    if (options.coupled && tied) weights.gain = parameter(own + "gain", Tensor::full({1}, 1.0, placement));
    const double fraction = std::min(options.select * static_cast<double>(k + 1), options.select_at_most);
    constants.selected = static_cast<Index>(fraction * static_cast<double>(n));
    result.layers.push_back(std::make_shared<const ListaLayer>(weights, constants));
  }
  return result;
}

}  // namespace basin
