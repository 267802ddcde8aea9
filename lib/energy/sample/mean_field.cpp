#include "energy/sample/mean_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
  if (units_.empty() || options_.iterations < 1 || !(options_.damping >= 0.0 && options_.damping < 1.0)) {
    throw Error(
        fmt::format("[MeanField] expected a variable, iterations >= 1 and damping in [0, 1), received "
                    "{}, {} and {}",
                    to_string(units_), options_.iterations, options_.damping));
  }
}

State MeanField::operator()(const FactorGraph& graph, const State& state, Key) const {
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
  if (options_.parallel) {
    update(graph, units_, moved);
  } else {
    for (const Variable& z : units_) update(graph, {z}, moved);
  }
  return moved;
}

void MeanField::update(const FactorGraph& graph, const Block& units, State& state) const {
  State at = state;
  std::vector<Value> means;
  for (const Variable& z : units) {
    means.push_back(Value::leaf(state[z].tensor()));
    at.set(z, means.back());
  }
  const bool curved = std::any_of(units.begin(), units.end(), is_continuous);
  const Value energy = graph.energy_touching(units, at);
  std::vector<Value> slopes;
  if (energy.tracked()) {
    slopes = grad(sum(energy), means, {.differentiable = curved});
  } else {
    for (const Value& mean : means) slopes.push_back(zeros_like(mean));
  }
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Variable& z = units[i];
    Value drive = -slopes[i].detached(), curvature;
    if (is_continuous(z)) {
      curvature = curvature_of(slopes[i], means[i], false).detached();
      const double least = -max(reshape(-curvature, {curvature.tensor().size()}), 0).item();
      if (!(least > 0.0)) {
        throw Error(fmt::format(
            "[MeanField] expected an energy that is convex in {}, received a curvature of {:.6g}; "
            "add Quadratic({}) to the graph",
            z.name, least, z.name));
      }
      drive = drive + curvature * means[i].detached();
    }
    const Value old = state.recall(drive_name(z));
    if (options_.damping > 0.0 && old.defined()) {
      drive = options_.damping * old + (1.0 - options_.damping) * drive;
      if (curvature.defined())
        curvature = options_.damping * state.recall(curvature_name(z)) + (1.0 - options_.damping) * curvature;
    }
    state.set(z, conditional_of(z, drive, curvature).mean().detached());
    state.remember(drive_name(z), drive);
    if (curvature.defined()) state.remember(curvature_name(z), curvature);
  }
}

Info MeanField::info(const FactorGraph&, const State& before, const State& after) const {
  Value change;
  for (const Variable& z : units_) {
    const Value most = max(abs(flatten(after[z] - before[z])), 1);
    change = change.defined() ? maximum(change, most) : most;
  }
  return {{"change", change}};
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
  Value energy = at_means;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const Variable& z = units[i];
    const Value mean = state[z].detached(), drive = state.recall(drive_name(z)),
                curvature = state.recall(curvature_name(z));
    const Value normaliser = log_normaliser(z.domain, drive, curvature);
    Value own = drive * mean;
    if (is_continuous(z)) {
      const Value moment = second_moment(z, mean, drive, curvature);
      own = own - 0.5 * curvature * moment;
      const Value slope = grad(sum(at_means), {points[i]}, {.differentiable = true}).front();
      energy = energy + 0.5 * sum_per_sample(curvature_of(slope, points[i], true) * (moment - square(mean)));
    }
    energy = energy - (sum_per_sample(normaliser) - sum_per_sample(own));
  }
  return energy;
}

}  // namespace basin
