#include "energy/minimise/unroll/unroll_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Of ISTA We y + bias; of coordinate descent b, where each unit would go by itself.
constexpr const char* kDrive = "unroll.drive";

struct Weights {
  std::optional<Parameter> encoder, bias;                        // We [m, n], and its offset [n]
  std::optional<Parameter> across;                               // S [n, n]; coupled: W [m, n]
  std::optional<Parameter> threshold, gain;                      // of the layer
  std::optional<Parameter> last_threshold = {}, last_gain = {};  // of its code, where that is not z
};

/// What all layers of a network are.
struct Form {
  Variable from, to;
  bool is_wall, by_coordinates;
  bool own_drive;  // each layer has an encoder of its own
  LastShrink last_shrink;
  Tensor dictionary = {};  // [n, m], of coupled layers
  Tensor mask = {};        // [n, n], of partial inhibition
};

/// One iteration: of LISTA, or of LCoD.
class Layer final : public Transition {
 public:
  Layer(Weights weights, Form form, Index selected)
      : weights_(std::move(weights)), form_(std::move(form)), selected_(selected) {}

  std::string name() const override { return "UnrolledLayer"; }

  State operator()(const FactorGraph&, const State& state, Key) const override {
    const Shape shape = state[form_.to].shape();
    const Value y = flatten(state[form_.from]), z = flatten(state[form_.to]);
    Value drive = state.recall(kDrive);
    // The first layer starts from zeros, which no product needs.
    const bool first = !drive.defined();
    if (first || form_.own_drive) drive = driven(y);
    State moved = state;
    if (form_.by_coordinates) {
      const Value code = descend(z, drive);
      moved.set(form_.to, reshape(code, shape));
      if (weights_.last_gain) moved.remember(kCodeMemory, reshape(last(code, drive), shape));
    } else {
      moved.set(form_.to, reshape(selected(first ? drive : inferred(y, z, drive)), shape));
    }
    return moved.remember(kDrive, std::move(drive));
  }

 private:
  bool is_coupled() const { return form_.dictionary.defined(); }
  Value biased(Value x) const { return weights_.bias ? x + weights_.bias->value() : x; }
  Value gained(Value x) const { return weights_.gain ? x * weights_.gain->value() : x; }
  Value shrunk(const Value& x, const Value& theta) const {
    return form_.is_wall ? relu(x - theta) : shrink(x, theta);
  }

  Value driven(const Value& y) const {
    const Value x = matmul(y, weights_.encoder->value());
    return biased(form_.by_coordinates ? x : gained(x));
  }

  /// y We + z S + bias; coupled z + gain (y - z A) W + bias.
  Value inferred(const Value& y, const Value& z, const Value& drive) const {
    const Value& across = weights_.across->value();
    if (is_coupled()) return biased(z + gained(matmul(y - matmul(z, form_.dictionary), across)));
    return drive + matmul(z, form_.mask.defined() ? across * form_.mask : across);
  }

  /// Shrunk, but for the largest of what passes.
  Value selected(const Value& x) const {
    const Value theta = relu(weights_.threshold->value()), z = shrunk(x, theta);
    if (selected_ == 0) return z;
    // What passes is x - theta sign(x): giving theta sign(z) back to the largest ones leaves x, and 0 where z
    // is 0.
    const Value size = form_.is_wall ? x.detached() : abs(x.detached());
    return z + theta * (largest(size, selected_) * sign(z.detached()));
  }

  /// The unit that would change most goes to where it would go by itself, and the others hear of it.
  Value descend(const Value& z, Value& b) const {
    const Value change = shrunk(b, relu(weights_.threshold->value())) - z;
    const Value chosen = largest(abs(change.detached()), 1);
    const Value d = gained(sum(change * chosen, {1}, {.keep = true})), own = chosen * d;
    const Value& across = weights_.across->value();
    // Coupled, S = I - A W by rows.
    b = is_coupled() ? b + own - matmul(matmul(chosen, form_.dictionary), across) * d
                     : b + matmul(chosen, across) * d;
    return z + own;
  }

  Value last(const Value& z, const Value& b) const {
    Value theta = relu(weights_.last_threshold->value());
    if (form_.last_shrink == LastShrink::Unmoved) theta = theta * (1.0 - square(sign(z.detached())));
    return shrunk(z + (b - z) * weights_.last_gain->value(), theta);
  }

  Weights weights_;
  Form form_;
  Index selected_;
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

UnrolledLayers unroll_layers(const UnrollQuadratic& form, std::optional<double> step, const Variable& from,
                             const Variable& to, const UnrollOptions& options) {
  const Index n = to.size();
  const Placement placement = form.hessian.placement();
  const Value unit = identity(n, placement), diagonal = sum(Value(form.hessian) * unit, {0});
  const std::vector<double> curvatures = diagonal.tensor().values();
  const auto [low, high] = std::minmax_element(curvatures.begin(), curvatures.end());
  if (!step && !(*low > 0.0)) {
    throw Error(fmt::format(
        "[unroll] expected a positive second derivative of each unit of {}, received {} of unit {}; "
        "no dictionary atom may be zero",
        to.name, *low, low - curvatures.begin()));
  }
  // ISTA takes one step along the gradient, coordinate descent goes to the minimum: b = z - (df/dz) / diag H,
  // so that a change of unit k moves unit j of b by -H_kj / H_jj, and b_k stays.
  const auto scaled = [&](const Value& x) { return (step ? x * *step : x / diagonal).tensor(); };
  const bool tied = options.sharing == Sharing::Tied;
  const bool per_unit = options.threshold_per_unit || (!step && *high - *low > 1e-5 * *low);
  const Tensor encoder = scaled(form.projection), one = Tensor::full({1}, 1.0, placement);
  const Tensor threshold =
      per_unit && !step ? (form.weight / diagonal).tensor()
                        : Tensor::full({per_unit ? n : 1},
                                       step ? *step * form.weight : form.weight / curvatures[0], placement);
  Tensor inhibition = (unit - scaled(form.hessian)).tensor();
  Form all{.from = from,
           .to = to,
           .is_wall = form.is_wall,
           .by_coordinates = !step,
           .own_drive = step && !tied && !options.coupled,
           .last_shrink = options.last_shrink};
  if (options.coupled) all.dictionary = dictionary_of(form);
  if (options.inhibition < 1.0) {
    all.mask = inhibition_mask(inhibition, options.inhibition);
    inhibition = (Value(inhibition) * all.mask).tensor();
  }

  UnrolledLayers result;
  const auto parameter = [&](const std::string& name, const Tensor& initial) {
    result.parameters.emplace_back(name, initial.clone());
    return result.parameters.back();
  };
  const Index starts = step ? 1 : 0;  // the first layer that has an S
  Weights weights;
  for (Index k = 0; k < options.steps; ++k) {
    const std::string own = std::to_string(k) + ".", matrices = tied ? "" : own;
    if (k == 0 || (step && !tied)) {
      weights.encoder = parameter((step ? matrices : "") + "encoder", encoder);
      if (form.has_offset) weights.bias = parameter((step ? matrices : "") + "bias", scaled(form.offset));
    }
    if (options.coupled) {
      weights.across = step || tied ? weights.encoder : parameter(own + "encoder", encoder);
    } else if (tied ? k == starts : k >= starts) {
      weights.across = parameter(matrices + "inhibition", inhibition);
    }
    weights.threshold = parameter(own + "threshold", threshold);
    if (!step || (options.coupled && tied)) weights.gain = parameter(own + "gain", one);
    if (!step && options.last_shrink != LastShrink::Off) {
      weights.last_threshold = parameter(own + "last_threshold", threshold);
      weights.last_gain = parameter(own + "last_gain", one);
    }
    const double fraction = std::min(options.select * static_cast<double>(k + 1), options.select_at_most);
    result.layers.push_back(
        std::make_shared<const Layer>(weights, all, static_cast<Index>(fraction * static_cast<double>(n))));
  }
  return result;
}

}  // namespace basin
