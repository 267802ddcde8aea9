#include "energy/minimise/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/conv_lasso.h"
#include "energy/minimise/lasso.h"
#include "energy/minimise/split.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-30;

Shape batched(Index samples, const Shape& shape) {
  Shape all{samples};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

/// The state without memory, with a z: its own (its negative entries cut off where z is non-negative), or
/// zeros.
State started(const FactorGraph& graph, const Variable& z, const State& state) {
  State start = without_memory(graph, state);
  if (start.empty())
    throw Error(fmt::format(
        "[infer] expected values of the clamped variables, received an empty state; set what {} explains",
        z.name));
  if (!start.has(z)) {
    start.set(z, Tensor::zeros(batched(start.batch(), z.shape), start.placement()));
  } else if (z.domain == Domain::NonNegative) {
    start.set(z, relu(start[z]).detached());
  }
  return start;
}

Stop criterion(const Split& split, const State& state, Stop wanted) {
  if (wanted != Stop::Auto) return wanted;
  const bool norm =
      split.rough() != nullptr && split.rough_weight() > 0.0 &&
      split.rough()->dual_norm(split.variable(),
                               zeros_like(first_samples(split.smooth(), state, 1)[split.variable()]));
  return norm && split.is_least_squares() ? Stop::DualityGap : Stop::StepSize;
}

/// The length of each sample's move beside the largest |z| on its way so far, which it keeps.
class RelativeStep {
 public:
  Value operator()(const Value& before, const Value& after) {
    const Value length = sqrt(dot_per_sample(before, before)), move = after - before;
    largest_ = largest_.defined() ? maximum(largest_, length) : length;
    const Value moved = sqrt(dot_per_sample(move, move));
    return moved / (largest_ + (1.0 - step(largest_)) * moved +
                    kTiny);  // the first move from zeros: 1, or 0 where nothing moved
  }

 private:
  Value largest_;
};

/// What a rewrite rule can do, where one recognises energy and transition.
std::optional<Solution> solve_fused(const Inference& inference) {
  if (inference.options.fuse == Fuse::Off) return std::nullopt;
  if (std::optional<Solution> solution = solve_lasso(inference)) return solution;
  return solve_conv_lasso(inference);
}

void require_finite(const std::vector<double>& measures, const Variable& z, Index step) {
  for (std::size_t n = 0; n < measures.size(); ++n) {
    if (std::isfinite(measures[n])) continue;
    throw Error(
        fmt::format("[infer] {} or its energy is not finite after {} steps (sample {}); check data and "
                    "parameters, or take a "
                    "smaller step",
                    z.name, step, n));
  }
}

const char* measured(Stop stop) {
  return stop == Stop::DualityGap ? "relative duality gap" : "relative step";
}

}  // namespace

Inferred infer(const FactorGraph& graph, const Variable& z, const Transition& transition, const State& given,
               const InferOptions& options, Key key) {
  if (options.max_steps < 0 || options.check_every < 1 || !(options.tolerance >= 0.0)) {
    throw Error(fmt::format(
        "[infer] expected max_steps >= 0, check_every >= 1 and tolerance >= 0, received {}, {} and {}",
        options.max_steps, options.check_every, options.tolerance));
  }
  const Split split(graph, z);
  State state = started(graph, z, given);
  const Index samples = state.batch();
  if (samples == 0) {
    const Tensor none({0}, {Dtype::F64, Device::Cpu});
    return {std::move(state), none, none, 0, options.stop, ""};
  }
  const Stop stop = criterion(split, state, options.stop);

  if (std::optional<Solution> fused =
          solve_fused({split, transition, state, !given.has(z), options, stop, key})) {
    Inferred result{state.with(z, fused->z),
                    fused->measure.to(Device::Cpu),
                    fused->steps.to(Device::Cpu),
                    0,
                    stop,
                    fused->rule};
    const std::vector<double> measures = result.measure.values(), steps = result.steps.values();
    if (options.max_steps > 0 || stop == Stop::DualityGap)
      require_finite(measures, z, static_cast<Index>(*std::max_element(steps.begin(), steps.end())));
    if (stop == Stop::Never) return result;
    result.unconverged = std::count_if(measures.begin(), measures.end(),
                                       [&](double measure) { return measure > options.tolerance; });
    return result;
  }

  std::vector<double> measures(static_cast<std::size_t>(samples), std::numeric_limits<double>::infinity());
  std::vector<double> steps(measures.size(), 0.0), moving(measures.size(), 1.0);
  Index left = samples;
  const auto look = [&](const std::vector<double>& now, Index step) {
    require_finite(now, z, step);
    for (std::size_t n = 0; n < now.size(); ++n) {
      if (moving[n] == 0.0) continue;
      measures[n] = now[n];
      steps[n] = static_cast<double>(step);
      if (stop == Stop::Never || now[n] > options.tolerance) continue;
      moving[n] = 0.0;
      --left;
    }
  };
  if (stop == Stop::DualityGap) look(relative_duality_gap(split, state).tensor().values(), 0);
  RelativeStep relative_step;
  for (Index i = 0; i < options.max_steps && left > 0; ++i) {
    const Value before = state[z];
    state = transition(graph, state, key.fold(static_cast<std::uint64_t>(i)));
    Value after = state[z].detached();
    if (left < samples) {
      const Value mask = per_sample(Tensor::from(moving, {samples}, after.placement()), after);
      after = mask * after + (1.0 - mask) * before;
    }
    state.set(z, after);
    const bool last = i + 1 == options.max_steps;
    if (stop == Stop::DualityGap) {
      if (last || (i + 1) % options.check_every == 0)
        look(relative_duality_gap(split, state).tensor().values(), i + 1);
      continue;
    }
    const Value measure = relative_step(before, after);
    if (stop == Stop::StepSize || last) look(measure.tensor().values(), i + 1);
  }
  Inferred result;
  result.state = without_memory(graph, state);
  result.measure = Tensor::from(measures, {samples}, {Dtype::F64, Device::Cpu});
  result.steps = Tensor::from(steps, {samples}, {Dtype::F64, Device::Cpu});
  result.unconverged = stop == Stop::Never ? 0 : left;
  result.stop = stop;
  return result;
}

void Convergence::add(const Inferred& inferred) {
  for (const double measure : inferred.measure.values()) {
    total += measure;
    worst = std::max(worst, measure);
    ++samples;
  }
  unconverged += inferred.unconverged;
  stop = inferred.stop;
}

std::string warning(const Convergence& convergence, const InferOptions& options) {
  if (convergence.unconverged == 0) return "";
  return fmt::format(
      "inference: {} of {} samples did not converge within {} steps (worst {} {:.2g}, wanted {:.2g}); raise "
      "max_steps or the "
      "tolerance",
      convergence.unconverged, convergence.samples, options.max_steps, measured(convergence.stop),
      convergence.worst, options.tolerance);
}

std::string warning(const Inferred& inferred, const InferOptions& options) {
  Convergence one;
  one.add(inferred);
  return warning(one, options);
}

std::optional<double> largest_useful_weight(const FactorGraph& graph, const Variable& z, const State& given) {
  const Split split(graph, z);
  if (split.rough() == nullptr) return std::nullopt;
  State state = started(graph, z, given);
  state.set(z, zeros_like(state[z]));
  Value gradient;
  split.smooth_energy(state, &gradient);
  const std::optional<Value> norm = split.rough()->dual_norm(z, -gradient.detached());
  if (!norm) return std::nullopt;
  return max(*norm, 0).item() * split.rough()->strength();
}

}  // namespace basin
