#include "energy/minimise/proximal.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-30;
constexpr double kSlack = 1.0 + 1e-5;  // a step of exactly 1/L is short enough
constexpr double kNear = 1e-3;  // values of f that differ by less than this part of f are not subtracted
constexpr int kHalvings = 100;

constexpr const char* kStep = "proximal.step";
constexpr const char* kPrevious = "fista.previous";
constexpr const char* kT = "fista.t";

/// What a proximal gradient iteration from a point u came to.
struct ProximalStep {
  Value z;     // prox(u - step * df/du, step)
  Value step;  // [N], a constant
};

[[noreturn]] void refuse_affine(const Variable& z) {
  throw Error(
      fmt::format("[proximal] expected a smooth part with curvature in {}, received one that is affine at "
                  "this state; give a fixed step in the options",
                  z.name));
}

/// H times a direction, H the Hessian of the smooth part at a state.
Value hessian_image(const Split& split, const State& at, const Value& direction) {
  const Value z = Value::leaf(at[split.variable()].tensor());
  const Value energy = split.smooth_energy(at.with(split.variable(), z));
  if (!energy.tracked()) refuse_affine(split.variable());
  return hessian_vector_product(sum(energy), {z}, {direction}).front();
}

/// g.g / g.Hg: the exact minimiser along the gradient of a quadratic, and nowhere below 1/L, so that halving
/// it finds what is needed.
Value first_steps(const Split& split, const State& at, const Value& gradient) {
  const Value curvature = dot_per_sample(gradient, hessian_image(split, at, gradient)),
              length = dot_per_sample(gradient, gradient);
  // Where the curvature along the gradient is no guide (none, or negative), 1.
  const Value known = step(curvature - length * kTiny);
  return known * (length / (curvature * known + (1.0 - known))) + (1.0 - known);
}

/// f(z) - f(u) - g.(z - u), by which f leaves its tangent at u, or an upper bound of it, such that rounding
/// does not decide: f is often a small difference of large numbers, and two of its values near the minimum
/// differ by less than their errors.
Value above_tangent(const Split& split, const State& at, const Value& f, const Value& gradient,
                    const Value& z) {
  const Variable& variable = split.variable();
  const Value move = z - at[variable].detached();
  // Exactly 1/2 m'H m.
  if (split.is_least_squares()) return dot_per_sample(move, hessian_image(split, at, move)) * 0.5;
  Value there;
  const Value reached = split.smooth_energy(at.with(variable, z), &there).detached();
  const Value difference = reached - f - dot_per_sample(gradient, move);
  // Of a convex f this bounds it from above, by about twice as much.
  const Value bound = dot_per_sample(there.detached() - gradient, move);
  const Value far = step(abs(reached - f) - kNear * abs(f));
  return far * difference + (1.0 - far) * bound;
}

/// Halves the step of each sample until f(z) <= f(u) + g.(z - u) + |z - u|^2 / (2 step).
ProximalStep backtrack(const Split& split, const State& at, const Value& f, const Value& gradient,
                       Value steps) {
  const Value& u = at[split.variable()];
  for (int i = 0; i < kHalvings; ++i) {
    const Value factor = per_sample(steps, u);
    Value z = split.prox(u - factor * gradient, factor);
    const Value move = (z - u).detached();
    const Value above = above_tangent(split, at, f.detached(), gradient.detached(), z.detached());
    // A NaN counts as too long, and is reported in the end.
    const Value good = step(dot_per_sample(move, move) * kSlack / (2.0 * steps) - above + kTiny);
    if (sum(good).item() == static_cast<double>(good.dim(0))) return {std::move(z), std::move(steps)};
    steps = (steps * (0.5 + 0.5 * good)).detached();
  }
  throw Error(
      fmt::format("[proximal] no step of {} is short enough after {} halvings; its smooth energy is not "
                  "finite or not smooth",
                  split.variable().name, kHalvings));
}

/// One proximal gradient iteration of split.variable() from its value in `at`. The step is the fixed one of
/// the scheme, or the one that `at` remembers as kStep, or, at the first iteration, one by rule; backtracking
/// halves it where it must.
ProximalStep proximal_step(const Split& split, const State& at, const ProximalScheme& scheme, Key key) {
  const Value& u = at[split.variable()];
  Value gradient;
  const Value f = split.smooth_energy(at, &gradient);
  Value steps = scheme.step ? Value(Tensor::full({u.dim(0)}, *scheme.step, u.placement())) : at.recall(kStep);
  if (!scheme.step && scheme.backtracking) {
    if (!steps.defined()) steps = first_steps(split, at, gradient.detached());
    return backtrack(split, at, f, gradient, std::move(steps));
  }
  if (!steps.defined()) steps = Tensor::full({u.dim(0)}, lipschitz_step(split, at, key), u.placement());
  const Value factor = per_sample(steps, u);
  return {split.prox(u - factor * gradient, factor), std::move(steps)};
}

}  // namespace

double lipschitz_step(const Split& split, const State& at, Key key) {
  const double bound = lipschitz(split, at, key.fold("lipschitz"));
  if (std::isnan(bound)) {
    throw Error(fmt::format("[proximal] the Hessian in {} is not finite; check parameters and data",
                            split.variable().name));
  }
  if (!(bound > 0.0)) refuse_affine(split.variable());
  return 1.0 / bound;
}

template <bool accelerated>
ProximalGradient<accelerated>::ProximalGradient(Variable z, ProximalOptions options)
    : scheme_{std::move(z), options.step, options.rule == StepRule::Backtracking, accelerated,
              accelerated && options.restart} {
  if (options.step && !(*options.step > 0.0 && std::isfinite(*options.step))) {
    throw Error(fmt::format("[{}] expected a step > 0, received {}; leave it out to have it found by rule",
                            name(), *options.step));
  }
}

template <bool accelerated>
State ProximalGradient<accelerated>::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Split split(graph, scheme_.z);
  const Value& z = state[scheme_.z];
  if constexpr (!accelerated) {
    ProximalStep step = proximal_step(split, state, scheme_, key);
    return state.with(scheme_.z, std::move(step.z)).remember(kStep, std::move(step.step));
  }
  // Without memory this is the first iteration, z_1 from z_0, after which t_1 = 1.
  const Value t = state.recall(kT), previous = state.recall(kPrevious);
  Value u = z, next = Tensor::full({z.dim(0)}, 1.0, z.placement());
  if (t.defined()) {
    next = (1.0 + sqrt(1.0 + 4.0 * square(t))) * 0.5;
    u = z + per_sample((t - 1.0) / next, z) * (z - previous);
  }
  ProximalStep step = proximal_step(split, state.with(scheme_.z, u), scheme_, key);
  if (scheme_.restart) {
    const Value uphill = basin::step(dot_per_sample((u - step.z).detached(), (step.z - z).detached()));
    next = next + uphill * (1.0 - next);
  }
  return state.with(scheme_.z, std::move(step.z))
      .remember(kPrevious, z)
      .remember(kT, std::move(next))
      .remember(kStep, std::move(step.step));
}

template <bool accelerated>
Info ProximalGradient<accelerated>::info(const State& after) const {
  return {{"step_size", after.recall(kStep)}};
}

template class ProximalGradient<false>;
template class ProximalGradient<true>;

}  // namespace basin
