#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "autograd/ops.h"
#include "energy/unroll_moves.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kB = "unroll.b";  // where each unit would go by itself, before the shrinkage

/// One move of LCoD: the unit that would change most goes to where it would go by itself, and the others hear of it.
class CoordinateMove final : public Transition {
 public:
  struct Weights {
    Parameter encoder;  // [m, n], of the first move
    std::optional<Parameter> bias;
    Parameter inhibition;  // [n, n]: row k is what a change of unit k adds to b
    Parameter threshold;
  };
  CoordinateMove(Weights weights, Variable from, Variable to, bool is_wall, bool last_shrink)
      : weights_(std::move(weights)), from_(std::move(from)), to_(std::move(to)), is_wall_(is_wall), last_shrink_(last_shrink) {}

  Moved operator()(const FactorGraph&, const State& state, Key) const override {
    Moved moved{state, {}};
    const Shape shape = state[to_].shape();
    Value b = state.recall(kB);
    if (!b.defined()) {
      b = matmul(flatten(state[from_]), weights_.encoder.value());
      if (weights_.bias) b = b + weights_.bias->value();
    }
    const Value z = flatten(state[to_]);
    const Value change = shrunk(b) - z;
    const Value chosen = largest(abs(change.detached()), 1);
    const Value own = change * chosen;
    b = b + matmul(chosen, weights_.inhibition.value()) * sum(own, {1}, {.keep = true});
    moved.state.set(to_, reshape(z + own, shape));
    moved.state.remember(kB, b);
    if (last_shrink_) moved.state.remember(kCodeMemory, reshape(shrunk(b), shape));
    return moved;
  }

 private:
  Value shrunk(const Value& b) const {
    const Value theta = relu(weights_.threshold.value());
    return is_wall_ ? relu(b - theta) : shrink(b, theta);
  }

  Weights weights_;
  Variable from_, to_;
  bool is_wall_, last_shrink_;
};

}  // namespace

UnrolledMoves unroll_coordinate_descent(const UnrollQuadratic& form, const Variable& from, const Variable& to,
                                        const UnrollOptions& options) {
  const Index n = to.size();
  const Placement placement = form.hessian.placement();
  // b = z - (df/dz) / diag H, so that a change of unit k moves unit j of b by -H_kj / H_jj, and b_k stays.
  std::vector<double> diagonal(static_cast<std::size_t>(n)), identity(static_cast<std::size_t>(n * n), 0.0);
  const std::vector<double> hessian = form.hessian.values();
  bool same = true;
  for (Index i = 0; i < n; ++i) {
    const double h = hessian[static_cast<std::size_t>(i * n + i)];
    if (!(h > 0.0)) {
      throw Error(
          fmt::format("[unroll] expected a positive second derivative of each unit of {}, received {} of unit {}; no dictionary "
                      "element may be zero",
                      to.name, h, i));
    }
    diagonal[static_cast<std::size_t>(i)] = h;
    same = same && std::abs(h - diagonal[0]) <= 1e-5 * diagonal[0];
    identity[static_cast<std::size_t>(i * n + i)] = 1.0;
  }
  const Value d = Tensor::from(diagonal, {n}, placement);
  const Tensor encoder = (Value(form.projection) / d).tensor();
  const Tensor inhibition = (Value(Tensor::from(identity, {n, n}, placement)) - Value(form.hessian) / d).tensor();
  const Tensor threshold =
      options.threshold_per_unit || !same ? (form.weight / d).tensor() : Tensor::full({1}, form.weight / diagonal[0], placement);

  UnrolledMoves result;
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
    if (k == 0 || options.sharing == Sharing::Untied) {
      across = parameter(options.sharing == Sharing::Tied ? "inhibition" : own + "inhibition", inhibition);
    }
    const Parameter theta = parameter(own + "threshold", threshold);
    result.moves.push_back(std::make_shared<const CoordinateMove>(CoordinateMove::Weights{in, bias, *across, theta}, from, to, form.is_wall,
                                                                  options.last_shrink));
  }
  return result;
}

}  // namespace basin
