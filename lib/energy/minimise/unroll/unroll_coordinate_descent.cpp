#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "autograd/ops.h"
#include "energy/minimise/unroll/unroll_layers.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kB = "unroll.b";  // where each unit would go by itself, before the shrinkage

/// One layer of LCoD: the unit that would change most goes to where it would go by itself, and the others
/// hear of it.
class CoordinateLayer final : public Transition {
 public:
  struct Weights {
    Parameter encoder;  // [m, n], of the first layer
    std::optional<Parameter> bias;
    Parameter across;  // S [n, n]: row k is what a change of unit k adds to b; coupled: W [m, n]
    Parameter threshold, gain;
    std::optional<Parameter> last_threshold, last_gain;
  };
  struct Constants {
    Tensor dictionary;  // [n, m], of coupled layers
    Variable from, to;
    bool is_wall = false;
    LastShrink last_shrink = LastShrink::All;
  };
  CoordinateLayer(Weights weights, Constants constants)
      : weights_(std::move(weights)), constants_(std::move(constants)) {}

  std::string name() const override { return "CoordinateLayer"; }
  State operator()(const FactorGraph&, const State& state, Key) const override {
    State moved = state;
    const Shape shape = state[constants_.to].shape();
    Value b = state.recall(kB);
    if (!b.defined()) {
      b = matmul(flatten(state[constants_.from]), weights_.encoder.value());
      if (weights_.bias) b = b + weights_.bias->value();
    }
    Value z = flatten(state[constants_.to]);
    const Value change = shrunk(b, relu(weights_.threshold.value())) - z;
    const Value chosen = largest(abs(change.detached()), 1);
    const Value d = sum(change * chosen, {1}, {.keep = true}) * weights_.gain.value();
    const Value own = chosen * d;
    z = z + own;
    // Coupled, S = I - A W by rows.
    const Value& across = weights_.across.value();
    b = constants_.dictionary.defined() ? b + own - matmul(matmul(chosen, constants_.dictionary), across) * d
                                        : b + matmul(chosen, across) * d;
    moved.set(constants_.to, reshape(z, shape));
    moved.remember(kB, b);
    if (constants_.last_shrink != LastShrink::Off) moved.remember(kCodeMemory, reshape(code(z, b), shape));
    return moved;
  }

 private:
  Value shrunk(const Value& x, const Value& theta) const {
    return constants_.is_wall ? relu(x - theta) : shrink(x, theta);
  }

  Value code(const Value& z, const Value& b) const {
    Value theta = relu(weights_.last_threshold->value());
    if (constants_.last_shrink == LastShrink::Unmoved) theta = theta * (1.0 - square(sign(z.detached())));
    return shrunk(z + (b - z) * weights_.last_gain->value(), theta);
  }

  Weights weights_;
  Constants constants_;
};

}  // namespace

UnrolledLayers unroll_coordinate_descent(const UnrollQuadratic& form, const Variable& from,
                                         const Variable& to, const UnrollOptions& options) {
  const Index n = to.size();
  const Placement placement = form.hessian.placement();
  // b = z - (df/dz) / diag H, so that a change of unit k moves unit j of b by -H_kj / H_jj, and b_k stays.
  std::vector<double> diagonal(static_cast<std::size_t>(n));
  const std::vector<double> hessian = form.hessian.values();
  bool same = true;
  for (Index i = 0; i < n; ++i) {
    const double h = hessian[static_cast<std::size_t>(i * n + i)];
    if (!(h > 0.0)) {
      throw Error(
          fmt::format("[unroll] expected a positive second derivative of each unit of {}, received {} of "
                      "unit {}; no dictionary "
                      "element may be zero",
                      to.name, h, i));
    }
    diagonal[static_cast<std::size_t>(i)] = h;
    same = same && std::abs(h - diagonal[0]) <= 1e-5 * diagonal[0];
  }
  const Value d = Tensor::from(diagonal, {n}, placement);
  const Tensor encoder = (Value(form.projection) / d).tensor();
  const Tensor inhibition = (Value(identity(n, placement)) - Value(form.hessian) / d).tensor();
  const Tensor threshold = options.threshold_per_unit || !same
                               ? (form.weight / d).tensor()
                               : Tensor::full({1}, form.weight / diagonal[0], placement);
  const Tensor one = Tensor::full({1}, 1.0, placement);

  CoordinateLayer::Constants constants;
  if (options.coupled) constants.dictionary = dictionary_of(form);
  constants.from = from;
  constants.to = to;
  constants.is_wall = form.is_wall;
  constants.last_shrink = options.last_shrink;

  UnrolledLayers result;
  const auto parameter = [&](const std::string& name, const Tensor& initial) {
    result.parameters.emplace_back(name, initial.clone());
    return result.parameters.back();
  };
  std::optional<Parameter> bias;
  const Parameter in = parameter("encoder", encoder);
  if (form.has_offset) bias = parameter("bias", (Value(form.offset) / d).tensor());
  std::optional<Parameter> across;
  for (Index k = 0; k < options.steps; ++k) {
    const std::string own = std::to_string(k) + ".";
    if (options.sharing == Sharing::Untied) {
      across =
          options.coupled ? parameter(own + "encoder", encoder) : parameter(own + "inhibition", inhibition);
    } else if (k == 0) {
      across = options.coupled ? in : parameter("inhibition", inhibition);
    }
    CoordinateLayer::Weights weights{
        in, bias, *across, parameter(own + "threshold", threshold), parameter(own + "gain", one), {}, {}};
    if (options.last_shrink != LastShrink::Off) {
      weights.last_threshold = parameter(own + "last_threshold", threshold);
      weights.last_gain = parameter(own + "last_gain", one);
    }
    result.layers.push_back(std::make_shared<const CoordinateLayer>(std::move(weights), constants));
  }
  return result;
}

}  // namespace basin
