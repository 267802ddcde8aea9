#include "training/optimizers/optimizer_plan.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "config/reader.h"
#include "training/optimizers/adagrad.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/conjugate_gradient.h"
#include "training/optimizers/diagonal_newton.h"
#include "training/optimizers/lbfgs.h"
#include "training/optimizers/rmsprop.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

/// The largest share of a mean that is left to what was before.
constexpr double kBelowOne = 1.0 - 1e-12;

/// Below it an epsilon is 0 as a float, and a parameter whose gradients are 0 would become 0/0.
constexpr double kLeastEpsilon = std::numeric_limits<float>::min();

/// Pairs of vectors as long as all parameters, beyond which a typing error is likelier.
constexpr Index kMostHistory = 1000;

/// A number in [low, high] that is written down only where it is given.
double number(const Reader& in, const char* key, double fallback, double low = 0.0, double high = kInfinity) {
  return in.table().has(key) ? in.within(key, low, high) : fallback;
}

Index count(const Reader& in, const char* key, Index fallback, Index least = 0, Index most = kMostCounted) {
  return in.table().has(key) ? in.count(key, least, std::nullopt, most) : fallback;
}

Clock read_clock(const Reader& in) {
  const bool by_epoch =
      in.table().has("clock") && in.table().choice("clock", {"steps", "epochs"}) == "epochs";
  return by_epoch ? Clock::Epochs : Clock::Steps;
}

/// The table, and the learning rate of one that names none.
struct OptimizerReader : Reader {
  std::optional<double> learning_rate = {};
};

Schedule read_schedule(const OptimizerReader& in) {
  const double from = in.within("learning_rate", 0.0, kInfinity, in.learning_rate);
  const std::string kind = in.table().choice(
      "schedule", {"constant", "linear", "geometric", "cosine", "inverse_time", "hold", "stairs"},
      "constant");
  if (kind == "linear" || kind == "cosine") {
    const double to = in.within("final_learning_rate", 0.0, kInfinity, 0.0);
    return kind == "linear" ? Schedule::linear(from, to) : Schedule::cosine(from, to);
  }
  if (kind == "geometric") {
    const double to = in.positive("final_learning_rate");
    return Schedule::geometric(in.positive("learning_rate"), to);
  }
  if (kind == "inverse_time") {
    const double half_life = in.positive("half_life");
    return Schedule::inverse_time(from, half_life, read_clock(in));
  }
  if (kind == "hold") {
    const double hold = in.positive("hold");
    return Schedule::hold(from, hold, read_clock(in));
  }
  if (kind == "stairs") {
    const double factor = in.positive("factor");
    const Index every = in.count("every", 1);
    return Schedule::stairs(from, factor, every, read_clock(in));
  }
  return Schedule::constant(from);
}

Schedule read_learning_rate(const OptimizerReader& in) {
  const Schedule rate = read_schedule(in);
  return in.table().has("warm_up") ? rate.warmed(in.count("warm_up", 0), read_clock(in)) : rate;
}

Schedule read_momentum(const Reader& in) {
  const double momentum = in.within("momentum", 0.0, 1.0, 0.0);
  const Index ramp = in.count("momentum_epoch", 0, 0);
  if (ramp == 0) return momentum;
  return Schedule::by_epoch({{0, momentum}, {ramp, in.within("final_momentum", 0.0, 1.0, 0.9)}});
}

double read_decay(const Reader& in) { return in.within("weight_decay", 0.0, kInfinity, 0.0); }

Restraints read_restraints(const Reader& in) {
  Restraints restraints{.clip_norm = number(in, "clip_norm", 0.0),
                        .clip_value = number(in, "clip_value", 0.0),
                        .l1 = number(in, "l1", 0.0),
                        .l2 = number(in, "l2", 0.0)};
  if (restraints.l1 > 0.0 || restraints.l2 > 0.0) restraints.penalties_from = count(in, "penalties_from", 0);
  restraints.max_norm = number(in, "max_norm", 0.0);
  return restraints;
}

using Make = decltype(OptimizerPlan::make);

/// Of a class whose options hold rates: such an optimizer with these options and the rates it is given.
template <class Kind, class Options>
Make maker(Options options) {
  return [options = std::move(options)](const Rates& rates) {
    Options own = options;
    own.rates = rates;
    return std::make_unique<Kind>(std::move(own));
  };
}

/// What a kind reads; it says what its learning rate is.
Make read_sgd(const OptimizerReader& in, Schedule& rate) {
  SgdOptions options{.learning_rate = rate = read_learning_rate(in)};
  options.momentum = read_momentum(in);
  options.nesterov = in.table().boolean("nesterov", false);
  options.weight_decay = read_decay(in);
  options.restraints = read_restraints(in);
  return maker<Sgd>(std::move(options));
}

Make read_adam(const OptimizerReader& in, Schedule& rate) {
  AdamOptions options{.learning_rate = rate = read_learning_rate(in)};
  options.weight_decay = read_decay(in);
  options.beta1 = number(in, "beta1", options.beta1, 0.0, kBelowOne);
  options.beta2 = number(in, "beta2", options.beta2, 0.0, kBelowOne);
  options.epsilon = number(in, "epsilon", options.epsilon, kLeastEpsilon);
  options.restraints = read_restraints(in);
  return maker<Adam>(std::move(options));
}

Make read_adagrad(const OptimizerReader& in, Schedule& rate) {
  AdaGradOptions options{.learning_rate = rate = read_learning_rate(in)};
  options.epsilon = number(in, "epsilon", options.epsilon, kLeastEpsilon);
  options.restraints = read_restraints(in);
  return maker<AdaGrad>(std::move(options));
}

Make read_rmsprop(const OptimizerReader& in, Schedule& rate) {
  RmsPropOptions options{.learning_rate = rate = read_learning_rate(in)};
  options.keep = number(in, "keep", options.keep, 0.0, kBelowOne);
  options.epsilon = number(in, "epsilon", options.epsilon, kLeastEpsilon);
  options.restraints = read_restraints(in);
  return maker<RmsProp>(std::move(options));
}

Make read_diagonal_newton(const OptimizerReader& in, Schedule& rate) {
  DiagonalNewtonOptions options{.learning_rate = rate = read_learning_rate(in)};
  if (in.table().has("damping")) options.damping = in.positive("damping");
  options.keep = number(in, "keep", options.keep, 0.0, kBelowOne);
  options.every = count(in, "curvature_every", options.every, 1);
  if (in.table().has("distance")) options.distance = in.positive("distance");
  options.restraints = read_restraints(in);
  return maker<DiagonalNewton>(std::move(options));
}

Make read_lbfgs(const OptimizerReader& in, Schedule& rate) {
  LbfgsOptions options{.weight_decay = read_decay(in)};
  options.iterations = count(in, "iterations", options.iterations, 1);
  options.history = count(in, "history", options.history, 1, kMostHistory);
  options.tolerance = number(in, "tolerance", options.tolerance);
  rate = 1.0;
  return maker<Lbfgs>(std::move(options));
}

Make read_conjugate_gradient(const OptimizerReader& in, Schedule& rate) {
  ConjugateGradientOptions options{.weight_decay = read_decay(in)};
  options.iterations = count(in, "iterations", options.iterations, 1);
  options.tolerance = number(in, "tolerance", options.tolerance);
  rate = 1.0;
  return maker<ConjugateGradient>(std::move(options));
}

/// A kind of optimizer: what it reads of its table, the learning rate among it.
struct OptimizerKind {
  const char* name;
  Make (*read)(const OptimizerReader& in, Schedule& rate);
};

constexpr OptimizerKind kKinds[] = {{"sgd", read_sgd},
                                    {"adam", read_adam},
                                    {"adagrad", read_adagrad},
                                    {"rmsprop", read_rmsprop},
                                    {"diagonal_newton", read_diagonal_newton},
                                    {"lbfgs", read_lbfgs},
                                    {"conjugate_gradient", read_conjugate_gradient}};

}  // namespace

std::vector<std::string> optimizer_kinds() {
  std::vector<std::string> names;
  for (const OptimizerKind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

OptimizerPlan read_optimizer(const Config& table, std::optional<double> learning_rate) {
  std::vector<std::string> names = optimizer_kinds();
  names.emplace_back("none");
  OptimizerPlan plan;
  plan.kind = table.choice("kind", names, names.front());
  if (plan.kind == "none") return plan;
  if (plan.kind != names.front()) learning_rate = {};
  const OptimizerReader in{Reader(table), learning_rate};
  for (const OptimizerKind& kind : kKinds) {
    if (plan.kind == kind.name) plan.make = kind.read(in, plan.learning_rate);
  }
  for (const auto& [prefix, factor] : table.factors("rates")) {
    if (!(factor >= 0.0 && factor < kInfinity)) {
      table.fail("rates",
                 fmt::format("expected factors of at least 0, received {} for '{}'", factor, prefix));
    }
    plan.rates[prefix] = factor;
  }
  if (table.has("average")) {
    const Reader average(table.table("average"));
    const double decay = average.within("decay", 0.0, 1.0, 0.0);
    if (decay == 1.0)
      average.table().fail("decay", "expected a number below 1, received 1, by which no parameter counts");
    plan.average = {.decay = decay, .from = average.within("from", 0.0, 1.0, 0.5)};
  }
  return plan;
}

}  // namespace basin
