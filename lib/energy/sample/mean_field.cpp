#include "energy/sample/mean_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/closed_form.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/probe.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::string drive_name(const Variable& z) { return "mean_field." + z.name + ".drive"; }
std::string curvature_name(const Variable& z) { return "mean_field." + z.name + ".curvature"; }

/// The second derivative in each unit of z, where the first is given; the Hessian has nothing else.
Value curvature_of(const Value& slope, const Value& z, bool differentiable) {
  if (!slope.tracked()) return zeros_like(z);
  return grad(sum(slope), {z}, {.differentiable = differentiable}).front();
}

/// q of one variable as a conditional, whose mean it knows.
Conditional conditional_of(const Variable& z, const Value& drive, const Value& curvature) {
  return {z, curvature.defined() ? drive / curvature : drive, curvature};
}

/// E_q[z^2] of one with a curvature.
Value second_moment(const Variable& z, const Value& mean, const Value& drive, const Value& curvature) {
  const Value centre = drive / curvature, variance = reciprocal(curvature);
  return (z.domain == Domain::Real ? square(mean) : centre * mean) + variance;
}

}  // namespace

MeanField::MeanField(Block units, MeanFieldOptions options) : units_(std::move(units)), options_(options) {
  if (units_.empty() || options_.iterations < 1) {
    throw Error(fmt::format("[MeanField] expected a variable and iterations >= 1, received {} and {}",
                            to_string(units_), options_.iterations));
  }
  if (!(options_.damping >= 0.0 && options_.damping < 1.0))
    throw Error(fmt::format("[MeanField] expected a damping in [0, 1), received {}", options_.damping));
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (std::count(units_.begin(), units_.end(), units_[i]) > 1)
      throw Error(fmt::format("[MeanField] {} has variable {} twice; name it once", to_string(units_),
                              units_[i].name));
  }
}

State MeanField::operator()(const FactorGraph& graph, const State& state, Key) const {
  return updated(graph, started(graph, state), History::Dropped);
}

State MeanField::started(const FactorGraph& graph, const State& state) const {
  State moved = state;
  for (const Variable& z : units_) {
    if (moved.has(z)) continue;
    const Value zeros = Tensor::zeros(batched(resolved(graph, z, state), state.empty() ? 1 : state.batch()),
                                      state.empty() ? graph.placement() : state.placement());
    moved.set(z, conditional_of(z, zeros, is_continuous(z) ? ones_like(zeros) : Value()).mean());
  }
  // Affine or diagonally quadratic in each variable with all others held, at any values of theirs, is
  // multi-affine plus diagonal quadratics in all.
  require_multi_affine(graph, units_, moved, "MeanField");
  return moved;
}

State MeanField::updated(const FactorGraph& graph, State state, History history) const {
  if (options_.updates == Updates::Parallel) {
    update(graph, units_, state, history);
  } else {
    for (const Variable& z : units_) update(graph, {z}, state, history);
  }
  return state;
}

void MeanField::update(const FactorGraph& graph, const Block& together, State& state, History history) const {
  const bool kept = history == History::Kept;
  const auto noted = [&](const Value& x) { return kept ? x : x.detached(); };
  std::vector<Value> means;
  State at = state;
  for (const Variable& z : together) {
    // By which to differentiate with the others held, those that came from it too.
    means.push_back(kept && state[z].tracked() ? 1.0 * state[z] : Value::leaf(state[z].tensor()));
    at.set(z, means.back());
  }
  const Value energy = graph.energy_touching(together, at);
  const bool further = kept || std::any_of(together.begin(), together.end(), is_continuous);
  std::vector<Value> slopes;
  if (energy.tracked()) slopes = grad(sum(energy), means, {.differentiable = further});
  for (std::size_t i = 0; i < together.size(); ++i) {
    const Variable& z = together[i];
    const Value slope = slopes.empty() ? zeros_like(means[i]) : slopes[i];
    Value drive = -noted(slope), curvature;
    if (is_continuous(z)) {
      curvature = curvature_inside(noted(curvature_of(slope, means[i], kept)), units_inside(graph, z, state));
      // It is the same at all means of q: a first look, one download, holds for all iterations.
      if (!state.recall(curvature_name(z)).defined()) require_positive({curvature}, {z});
      drive = drive + curvature * noted(means[i]);
      state.remember(curvature_name(z), curvature);
    }
    const Value before = state.recall(drive_name(z));
    if (options_.damping > 0.0 && before.defined())
      drive = options_.damping * before + (1.0 - options_.damping) * drive;
    state.set(z, noted(conditional_of(z, drive, curvature).mean()));
    state.remember(drive_name(z), drive);
  }
}

void MeanField::remember(State& state, const Variable& z, Value mean, Value drive) {
  state.set(z, std::move(mean));
  state.remember(drive_name(z), std::move(drive));
}

State MeanField::drawn(const State& state, Key key) const {
  State result = state;
  for (const Variable& z : units_) {
    Conditional q = conditional_of(z, state.recall(drive_name(z)), state.recall(curvature_name(z)));
    const Shape shape = q.input.shape();
    q.variable.shape.assign(shape.begin() + 1, shape.end());  // a free extent as it is
    q.first_row = state.context().own_row();
    result.set(z, q.sample(key));
  }
  return result;
}

Value variational_free_energy(const FactorGraph& graph, const Block& units, const State& state) {
  State at = state;
  std::vector<Value> points;
  for (const Variable& z : units) {
    if (!state.recall(drive_name(z)).defined()) {
      throw Error(
          fmt::format("[MeanField] expected a state that MeanField has moved, received one without its "
                      "memory of {}; iterate it first",
                      z.name));
    }
    points.push_back(is_continuous(z) ? Value::leaf(state[z].tensor()) : state[z].detached());
    at.set(z, points.back());
  }
  const Value at_means = graph.energy(at);
  // -log q = -log Z_q - drive z + 1/2 curvature z^2, so that E_q[E] + E_q[log q] is the closed form of q's
  // own normaliser around E_q[E] + E_q[drive z - 1/2 curvature z^2].
  Expansion q{.energy = at_means, .drive = {}, .curvature = {}};
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Variable& z = units[i];
    const Value mean = state[z].detached();
    q.inside.push_back(units_inside(graph, z, state));
    q.drive.push_back(state.recall(drive_name(z)));
    q.curvature.push_back(state.recall(curvature_name(z)));
    Value own = q.drive.back() * mean;
    if (is_continuous(z)) {
      const Value moment = second_moment(z, mean, q.drive.back(), q.curvature.back());
      own = own - 0.5 * q.curvature.back() * moment;
      if (q.inside.back().defined()) own = own * q.inside.back();
      const Value slope = grad(sum(at_means), {points[i]}, {.differentiable = true}).front();
      q.energy =
          q.energy + 0.5 * sum_per_sample(curvature_of(slope, points[i], true) * (moment - square(mean)));
    }
    q.energy = q.energy + sum_per_sample(own);
  }
  return closed_form(q, units, Elimination::Sum);
}

}  // namespace basin
