#include "training/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/marginal/conditional_expansion.h"
#include "tensor/demands.h"
#include "tensor/error.h"
#include "tensor/flags.h"

namespace basin {
namespace {

std::string factor_of(const FactorGraph& graph, const Parameter& parameter) {
  for (const FactorGraph::Term& term : graph.terms()) {
    for (const Parameter& own : term.factor->parameters()) {
      if (own.name() == parameter.name()) {
        return term.factor->name();
      }
    }
  }
  return "no factor";
}

/// Whose parameters move: empty where all do.
std::vector<bool> moving(const std::vector<Parameter>& parameters, const Rates& rates) {
  std::vector<bool> wants;
  bool all = true;
  for (const Parameter& parameter : parameters) {
    wants.push_back(parameter.is_trained() && rate_of(rates, parameter.name()) != 0.0);
    all = all && wants.back();
  }
  return all ? std::vector<bool>{} : wants;
}

/// Where the largest number stands: what most likely made an energy overflow.
std::string largest(const FactorGraph& graph) {
  double most = -1.0;
  std::string text;
  for (const Parameter& parameter : graph.parameters()) {
    const Value flat = reshape(abs(parameter.value().detached()), {parameter.tensor().size()});
    const double value = max(flat, 0).item();
    if (value > most) {
      most = value;
      text = fmt::format(", parameter {} of {} has grown to {:.3g}", parameter.name(),
                         factor_of(graph, parameter), value);
    }
  }
  return text;
}

/// The batches of a fit, one after another: batch `step` is a function of (key, step) alone.
class Walk {
 public:
  Walk(Source source, Index batch, Key key)
      : source_(std::move(source)), batch_(batch), steps_(source_.count() / batch), key_(key) {
    if (steps_ < 1) {
      throw Error(fmt::format(
          "[fit] expected at least one batch of {} samples, received {} samples; lower the batch size", batch,
          source_.count()));
    }
  }

  Index steps() const { return steps_; }  // of an epoch

  /// In epoch e = step / steps(): ordered under key.fold("order").fold(e), drawn under
  /// key.fold("pixels").fold(e).
  State at(Index step) {
    const auto epoch = static_cast<std::uint64_t>(step / steps_);
    if (step % steps_ == 0 || order_.empty()) order_ = source_.order(key_.fold("order").fold(epoch), batch_);
    const std::span<const Index> all = order_;
    return source_.batch(
        all.subspan(static_cast<std::size_t>(step % steps_ * batch_), static_cast<std::size_t>(batch_)),
        key_.fold("pixels").fold(epoch));
  }

 private:
  Source source_;
  Index batch_, steps_;
  Key key_;
  std::vector<Index> order_;
};

/// Where a step observes buffers, but frozen ones.
std::shared_ptr<Observations> observations_of(const FactorGraph& graph, const Rates& rates) {
  auto observations = std::make_shared<Observations>();
  observations->wanted = [&graph, &rates, parameters = graph.parameters()](const Parameter& buffer) {
    return rate_of(rates, parameters[graph.index_of(buffer)].name()) != 0.0;
  };
  return observations;
}

/// Buffers become what the step's own pass has observed; after a step without such a pass, what one over the
/// batch observes.
void update_buffers(const FactorGraph& graph, const State& batch,
                    const std::shared_ptr<Observations>& observations, const FitOptions& options) {
  if (observations->seen.empty()) {
    Context context = batch.context();
    context.observations = observations;
    const State at = State(batch).in(std::move(context));
    for (std::size_t i = 0; i < graph.terms().size(); ++i) {
      const FactorGraph::Term& term = graph.terms()[i];
      const std::vector<Parameter> own = term.factor->parameters();
      if (term.weight != 0.0 && !std::all_of(own.begin(), own.end(), std::mem_fn(&Parameter::is_trained)))
        term.factor->energy(graph.seen_by(i, at));
    }
  }
  for (const Observation& seen : observations->seen) {
    if (options.reduce) options.reduce({&seen.next, 1}, batch.batch());
    seen.buffer.tensor().copy_from(seen.next);
  }
}

/// An optimizer that looks elsewhere must find the same loss there again: nothing may have moved on.
void require_lookout(const Objective& objective, const Evaluation& evaluation, const Carry& carry) {
  if (evaluation.metrics.contains("loss") && carry.empty()) return;
  throw Error(
      fmt::format("[fit] expected an objective that says its loss and carries nothing from step to step, for "
                  "an optimizer that looks at the loss elsewhere, received {}; take \"sgd\" or \"adam\"",
                  objective.name()));
}

/// Of a training whose first step was sound.
NotFinite not_convex(const std::string& where) {
  return NotFinite(
      fmt::format("{}: the energy is not convex any more in units that are real numbers; "
                  "lower the learning rate, and give the data unit variance",
                  where));
}

/// What steps have demanded of numbers on a device, and nobody has looked at yet.
void settle(const std::string& where) {
  try {
    if (Demands* demands = Demands::youngest()) demands->settle();
  } catch (const NotConvex&) {
    throw not_convex(where);
  }
}

/// Copies the parameters where the epoch that has just ended is the best.
void keep_best(const EarlyStop& stop, const std::vector<Parameter>& parameters, FitState& state) {
  if (best_epoch(state.history, stop) != state.history.epochs().at.back()) return;
  for (const Parameter& parameter : parameters) {
    state.best[parameter.name()] = parameter.tensor().clone();
  }
}

}  // namespace

void check_finite(const FactorGraph& graph, const Objective& objective, const Carry& carry,
                  const std::string& where) {
  settle(where);
  std::vector<Parameter> parameters = graph.parameters();
  for (Parameter& own : objective.parameters()) parameters.push_back(std::move(own));
  Flags flags(static_cast<Index>(parameters.size() + carry.size()));
  Index flag = 0;
  for (const Parameter& parameter : parameters) flags.check(flag++, Check::Finite, parameter.tensor());
  for (const auto& [name, tensor] : carry) flags.check(flag++, Check::Finite, tensor);
  const std::vector<Index> raised = flags.raised();
  if (raised.empty()) return;
  const auto first = static_cast<std::size_t>(raised.front());
  if (first < parameters.size()) {
    throw NotFinite(fmt::format("{}: parameter {} of {} is not finite any more; lower the learning rate",
                                where, parameters[first].name(), factor_of(graph, parameters[first])));
  }
  throw NotFinite(
      fmt::format("{}: {} is not finite any more; lower the learning rate", where,
                  std::next(carry.begin(), static_cast<std::ptrdiff_t>(first - parameters.size()))->first));
}

void fit(const FactorGraph& graph, const Objective& objective, const std::vector<Source>& sources,
         Optimizer& optimizer, const FitOptions& options, FitState& state, const FitObserver& observer) {
  if (options.batch < 1 || options.epochs < 0 || options.metrics_every < 1 || options.check_every < 1) {
    throw Error(fmt::format(
        "[fit] expected batch, metrics_every, check_every >= 1 and epochs >= 0, received {}, {}, {}, {}",
        options.batch, options.metrics_every, options.check_every, options.epochs));
  }
  if (sources.empty()) throw Error("[fit] expected at least one source of data, received none");
  std::vector<Walk> walks;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    walks.emplace_back(sources[k], options.batch, k == 0 ? options.key : options.key.fold("source").fold(k));
  }
  const Index steps_per_epoch = walks.front().steps();
  const Index steps = steps_per_epoch * options.epochs;
  std::vector<Parameter> parameters = graph.parameters();
  for (Parameter& own : objective.parameters()) parameters.push_back(std::move(own));
  const std::vector<bool> wants = moving(parameters, optimizer.rates());
  const bool has_buffers =
      !std::all_of(parameters.begin(), parameters.end(), std::mem_fn(&Parameter::is_trained));

  Demands demands;
  const auto is_stopped = [&] { return options.stop && is_over(state.history, *options.stop); };
  while (state.step < steps && !is_stopped()) {
    const Index epoch = state.step / steps_per_epoch;
    const Index step = state.step % steps_per_epoch;
    const auto fold = [&](std::string_view name) {
      return options.key.fold(name).fold(static_cast<std::uint64_t>(epoch));
    };
    std::vector<State> batches;
    for (std::size_t k = 0; k < walks.size(); ++k) {
      const Key noise = fold("noise").fold(static_cast<std::uint64_t>(step));
      State batch = walks[k].at(state.step);
      batch.in(batch.context().with(k == 0 ? noise : noise.fold("source").fold(k)));
      batches.push_back(std::move(batch));
    }

    const bool measure = state.step % options.metrics_every == 0;
    // Every look at the loss goes by the batch's own statistics; the first one's become the buffers.
    const auto observing = [&] { return has_buffers ? observations_of(graph, optimizer.rates()) : nullptr; };
    const auto evaluate = [&](bool metrics, std::shared_ptr<Observations> observations) {
      try {
        return objective.evaluate_all(graph, batches, state.carry,
                                      fold("step").fold(static_cast<std::uint64_t>(step)),
                                      {.metrics = metrics,
                                       .wants = wants,
                                       .reduce = options.reduce,
                                       .observations = std::move(observations)});
      } catch (const NotConvex&) {
        if (state.step == 0) throw;  // it never was
        throw not_convex(
            fmt::format("[fit] stage {}, epoch {}, step {}", options.stage, epoch + 1, state.step + 1));
      }
    };
    const auto observations = observing();
    Evaluation evaluation = evaluate(measure || optimizer.looks_out(), observations);
    if (state.step == 0) demands.settle();  // what never held is said before it makes other numbers bad
    Lookout lookout;
    if (optimizer.looks_out()) {
      require_lookout(objective, evaluation, state.carry);
      lookout = {.loss = evaluation.metrics.at("loss"),
                 .evaluate = [&] { return evaluate(true, observing()); }};
    }
    const Position position{.step = state.step,
                            .epoch = epoch,
                            .fraction = static_cast<double>(state.step) / static_cast<double>(steps)};
    optimizer.step(parameters, evaluation.gradients, position, lookout);
    objective.finish_all(graph, batches, state.carry, fold("finish").fold(static_cast<std::uint64_t>(step)),
                         wants);
    if (has_buffers) update_buffers(graph, batches.front(), observations, options);
    if (options.average != nullptr) {
      options.average->update(parameters, position);
    }
    ++state.step;

    const bool epoch_ended = state.step % steps_per_epoch == 0;
    const auto where = [&] {
      return fmt::format("[fit] stage {}, epoch {}, step {}", options.stage, epoch + 1, state.step);
    };
    if (epoch_ended || state.step % options.check_every == 0) {
      check_finite(graph, objective, state.carry, where());
    }
    if (measure) {
      for (const auto& [name, value] : evaluation.metrics) {
        if (!std::isfinite(value)) {
          check_finite(graph, objective, state.carry, where());
          throw NotFinite(fmt::format("{}: {} of {} is not finite{}; lower the learning rate", where(), name,
                                      objective.name(), largest(graph)));
        }
      }
      state.history.record_step(state.step, evaluation.metrics);
    }
    if (epoch_ended) {
      History::Metrics metrics = state.history.mean(state.step - steps_per_epoch, state.step);
      if (options.monitor) {
        metrics.merge(options.monitor(epoch + 1));
      }
      state.history.record_epoch(epoch + 1, metrics);
      if (options.stop && options.stop->keep == Keep::Best) keep_best(*options.stop, parameters, state);
    }
    const FitReport report{.step = state.step,
                           .steps = steps,
                           .epoch = state.step / steps_per_epoch,
                           .epochs = options.epochs,
                           .batch = options.batch,
                           .epoch_ended = epoch_ended,
                           .history = &state.history,
                           .stage = options.stage};
    if (observer && !observer(report)) {
      settle(where());
      return;
    }
  }
  settle(fmt::format("[fit] stage {}, at its end", options.stage));  // of the last look at the epochs, too
  for (const Parameter& parameter : parameters) {
    if (const auto best = state.best.find(parameter.name()); best != state.best.end())
      parameter.tensor().copy_from(best->second);
  }
  state.best.clear();
}

FitState fit(const FactorGraph& graph, const Objective& objective, const Samples& samples,
             Optimizer&& optimizer, const FitOptions& options, const FitObserver& observer) {
  FitState state;
  const Source batches(samples, inputs_of(graph, samples), graph.placement(), {.pixels = options.pixels});
  fit(graph, objective, {batches}, optimizer, options, state, observer);
  return state;
}

}  // namespace basin
