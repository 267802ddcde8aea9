#include "energy/minimise/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/rule.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The state without memory, with a z: its own (its negative entries cut off where z is non-negative), or
/// zeros.
State started(const FactorGraph& graph, const Variable& z, const State& state) {
  State start = without_memory(graph, state);
  if (start.empty())
    throw Error(fmt::format(
        "[infer] expected values of the clamped variables, received an empty state; set what {} explains",
        z.name));
  if (!start.has(z)) {
    start.set(z, Tensor::zeros(batched(z, start.batch()), start.placement()));
  } else if (z.domain == Domain::NonNegative) {
    start.set(z, relu(start[z]).detached());
  }
  return start;
}

Stop criterion(const Split& split, Placement placement, Stop wanted) {
  if (wanted != Stop::Auto) return wanted;
  const Variable& z = split.variable();
  const bool norm = split.rough() != nullptr && split.rough_weight() > 0.0 &&
                    split.rough()->dual_norm(z, Tensor::zeros(batched(z, 1), placement));
  return norm && split.is_least_squares() ? Stop::DualityGap : Stop::StepSize;
}

/// True when all values are of one dtype and on one device, as kernels take them.
bool is_uniform(const FactorGraph& graph, const State& state) {
  return std::all_of(graph.variables().begin(), graph.variables().end(), [&](const Variable& variable) {
    return !state.has(variable) || state[variable].placement() == state.placement();
  });
}

/// The iterations of the transition itself.
class TransitionMover final : public Mover {
 public:
  TransitionMover(const FactorGraph& graph, const Inference& inference, const Start& start)
      : graph_(graph), inference_(inference), state_(start.state), key_(start.key) {}

  void move(Index i) override {
    const Variable& z = inference_.split.variable();
    before_ = state_[z];
    if (inference_.stop != Stop::DualityGap) {
      const Value length = dot_per_sample(before_, before_);
      largest_ = largest_.defined() ? maximum(largest_, length) : length;
    }
    state_ = inference_.transition(graph_, state_, key_.fold(static_cast<std::uint64_t>(i)));
    Value after = state_[z].detached();
    if (moving_.defined()) after = moving_ * after + (1.0 - moving_) * before_;
    state_.set(z, std::move(after));
  }
  void keep(const std::vector<Index>& moving) override {
    const Value& z = state_[inference_.split.variable()];
    std::vector<double> marks(static_cast<std::size_t>(z.dim(0)), 0.0);
    for (const Index n : moving) marks[static_cast<std::size_t>(n)] = 1.0;
    moving_ = per_sample(Tensor::from(marks, {z.dim(0)}, z.placement()), z);
  }
  GapTerms gap_terms() override { return basin::gap_terms(inference_.split, state_); }
  StepTerms step_terms() override {
    const Value move = state_[inference_.split.variable()] - before_;
    return {dot_per_sample(move, move), largest_};
  }
  Tensor codes() override { return state_[inference_.split.variable()].tensor(); }

 private:
  const FactorGraph& graph_;
  const Inference& inference_;
  State state_;
  Key key_;
  Value before_, largest_, moving_;
};

void require_finite(double measure, const Variable& z, Index sample, Index step) {
  if (std::isfinite(measure)) return;
  throw Error(
      fmt::format("[infer] {} or its energy is not finite after {} iterations (sample {}); check data and "
                  "parameters, or take a smaller step",
                  z.name, step, sample));
}

/// Iterates until every sample has converged; the criterion is looked at every check_every iterations.
Solution iterate(Mover& mover, const Inference& inference, Index samples) {
  const InferOptions& options = inference.options;
  std::vector<double> measures(static_cast<std::size_t>(samples), std::numeric_limits<double>::infinity());
  std::vector<double> steps(measures.size(), 0.0);
  std::vector<Index> moving(measures.size());
  std::iota(moving.begin(), moving.end(), Index{0});
  const auto look = [&](Index step) {
    const Value measure = inference.stop == Stop::DualityGap ? relative_duality_gap(mover.gap_terms())
                                                             : relative_step(mover.step_terms());
    const std::vector<double> now = measure.tensor().values();
    std::vector<Index> left;
    for (const Index sample : moving) {
      const auto n = static_cast<std::size_t>(sample);
      require_finite(now[n], inference.split.variable(), sample, step);
      measures[n] = now[n];
      steps[n] = static_cast<double>(step);
      if (inference.stop == Stop::Never || now[n] > options.tolerance) left.push_back(sample);
    }
    if (left.size() < moving.size() && !left.empty()) mover.keep(left);
    moving = std::move(left);
  };
  if (inference.stop == Stop::DualityGap) look(0);
  for (Index i = 1; i <= options.max_steps && !moving.empty(); ++i) {
    mover.move(i - 1);
    if (i == options.max_steps || (inference.stop != Stop::Never && i % options.check_every == 0)) look(i);
  }
  const Placement host{Dtype::F64, Device::Cpu};
  return {mover.codes(), Tensor::from(measures, {samples}, host), Tensor::from(steps, {samples}, host)};
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
  if (const Block moves = transition.moves(); !moves.empty() && !contains(moves, z)) {
    throw Error(fmt::format(
        "[infer] expected a transition that moves {}, received {}, which moves {}; make it for {}", z.name,
        transition.name(), to_string(moves), z.name));
  }
  const Split split(graph, z);
  State state = started(graph, z, given);
  const Index samples = state.batch();
  if (samples == 0) {
    const Tensor none({0}, {Dtype::F64, Device::Cpu});
    return {std::move(state), none, none, 0, options.stop, {}};
  }
  const Stop stop = criterion(split, state[z].placement(), options.stop);
  const Inference inference{split, transition, options, stop, state[z].placement()};
  const Start start{state, !given.has(z), key};
  const std::optional<InferenceRule> rule = is_uniform(graph, state) ? recognise(inference) : std::nullopt;
  Solution found;
  if (rule && rule->solve) {
    found = rule->solve(start);
  } else {
    const std::unique_ptr<Mover> mover =
        rule ? rule->mover(start) : std::make_unique<TransitionMover>(graph, inference, start);
    found = iterate(*mover, inference, samples);
  }
  Inferred result{
      state.with(z, found.z), found.measure.to(Device::Cpu), found.steps.to(Device::Cpu), 0, stop, {}};
  if (rule) result.rules = {rule->name};
  const std::vector<double> measures = result.measure.values(), steps = result.steps.values();
  for (std::size_t n = 0; n < measures.size(); ++n) {
    if (options.max_steps > 0 || stop == Stop::DualityGap)
      require_finite(measures[n], z, static_cast<Index>(n), static_cast<Index>(steps[n]));
    if (stop != Stop::Never && measures[n] > options.tolerance) ++result.unconverged;
  }
  return result;
}

Rules inference_rules(const FactorGraph& graph, const Variable& z, const Transition& transition,
                      const InferOptions& options) {
  const Split split(graph, z);
  const Placement placement = graph.placement();
  const Stop stop = criterion(split, placement, options.stop);
  const std::optional<InferenceRule> rule = recognise({split, transition, options, stop, placement});
  return rule ? Rules{rule->name} : Rules{};
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
      "inference: {} of {} samples did not converge within {} iterations (worst {} {:.2g}, wanted {:.2g}); "
      "raise max_steps or the "
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
