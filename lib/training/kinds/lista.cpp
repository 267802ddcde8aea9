#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "energy/factors/amortised.h"
#include "energy/factors/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/unroll/unrolled_error.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/total_error.h"
#include "modules/linear.h"
#include "tensor/error.h"
#include "training/kinds/kind.h"
#include "training/kinds/recovery_baselines.h"
#include "training/measures/nmse.h"

namespace basin {
namespace {

constexpr double kLambdas[] = {0.4, 0.2, 0.1, 0.05,
                               0.025};  // of the baselines: each depth has its own best one
constexpr double kAlpha = 1.1;          // of approximate message passing

struct Settings {
  bool coordinate_descent = false;
  UnrollOptions unroll;
  double lambda = 0.1;
  std::string target;  // "signals": the codes that made the signals; "minimum": min_z E; "energy": no target,
                       // E itself
  bool total = false;  // the error of the whole batch counts, else that of each sample
  std::vector<Index> depths;  // trained and reported
};

/// 1, 2, 4, ... and the last.
std::vector<Index> powers_of_two(Index steps) {
  std::vector<Index> depths;
  for (Index depth = 1; depth < steps; depth *= 2) depths.push_back(depth);
  depths.push_back(steps);
  return depths;
}

/// E(y, z) = 1/2 |y - A z|^2 + lambda |z|_1.
struct Coding {
  FactorGraph graph;
  Variable y, z;
};

Coding coding(const SparseSignals& signals, double lambda, Placement placement) {
  Coding model;
  model.y = model.graph.real("y", {signals.options().measurements});
  model.z = model.graph.real("z", {signals.options().atoms});
  const Linear decoder(model.z.size(), model.y.size(), Key(0), {.bias = false, .placement = placement});
  decoder.weight().tensor().copy_from(signals.dictionary());
  model.graph.add(SquaredError(model.y, decoder, model.z)).add(L1(model.z, lambda));
  return model;
}

/// An unrolled inference that learns to find x from y = A x.
struct Lista {
  Settings settings;
  SparseSignals signals;
  Placement placement;
  Coding model;  // of inference
  std::shared_ptr<const Unrolled> net = nullptr;

  /// Codes of the lasso, to a relative duality gap.
  Value minimum(const Value& y, double tolerance, Key key) const;
  /// Signals and what their codes are compared with: the codes that made them, or the lasso's, as in
  /// training.
  SparseSignals::Batch test_signals(Index samples) const;
  std::vector<Recovery::Row> compare(Index samples) const;

 private:
  std::vector<double> coordinate_descent(const Coding& coding, const SparseSignals::Batch& test) const;
};

Value Lista::minimum(const Value& y, double tolerance, Key key) const {
  const State clamped = State().set(model.y, y);
  const std::optional<double> largest = largest_useful_weight(model.graph, model.z, clamped);
  if (largest && settings.lambda >= *largest) {
    throw Error(fmt::format(
        "[lista] expected model.lambda below {:.4g}, from which all codes are zero, received {}; lower it",
        *largest, settings.lambda));
  }
  const InferOptions options{.max_steps = 1000000, .tolerance = tolerance};
  const Inferred found = infer(model.graph, model.z, CoordinateDescent(model.z), clamped, options, key);
  if (found.unconverged > 0) {
    Convergence convergence;
    convergence.add(found);
    throw Error(
        fmt::format("[lista] expected lasso codes with gaps of at most {}, received up to {:.2g} in {}; "
                    "raise model.lambda, or take train.dtype = \"f64\"",
                    tolerance, convergence.worst, to_string(placement.dtype)));
  }
  return found.state[model.z];
}

SparseSignals::Batch Lista::test_signals(Index samples) const {
  std::vector<Index> rows;
  for (Index i = 0; i < samples; ++i) rows.push_back(i);
  SparseSignals::Batch batch = signals.batch(rows, signals.key().fold("test"), placement);
  if (settings.target != "signals")
    batch.x = minimum(batch.y, placement.dtype == Dtype::F64 ? 1e-6 : 1e-4, Key(0)).tensor();
  return batch;
}

/// Of coordinate descent with the best shrinkage of its last codes at each depth.
std::vector<double> Lista::coordinate_descent(const Coding& coding, const SparseSignals::Batch& test) const {
  std::vector<double> lowest(settings.depths.size(), kInfinity);
  for (const LastShrink last : {LastShrink::Off, LastShrink::All}) {
    const UnrollOptions options{
        .steps = settings.depths.back(), .sharing = Sharing::Tied, .last_shrink = last};
    const std::vector<double> errors =
        nmse_of_network(unroll(coding.graph, CoordinateDescent(coding.z), coding.y, coding.z, options), test,
                        settings.depths);
    for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = std::min(lowest[i], errors[i]);
  }
  return lowest;
}

std::vector<Recovery::Row> Lista::compare(Index samples) const {
  const SparseSignals::Batch test = test_signals(samples);
  const std::vector<Index>& depths = settings.depths;
  // The baselines have the best lambda of each depth, which no single run of them has: the network must beat
  // even that. Where codes are those of a lasso, its lambda is the one.
  const bool of_signals = settings.target == "signals";
  const std::vector<double> lambdas = of_signals
                                          ? std::vector<double>(std::begin(kLambdas), std::end(kLambdas))
                                          : std::vector<double>{settings.lambda};
  const auto best = [&](const std::function<std::vector<double>(const Coding&)>& errors) {
    std::vector<double> lowest(depths.size(), kInfinity);
    for (const double lambda : lambdas) {
      const std::vector<double> found = errors(coding(signals, lambda, placement));
      for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = std::min(lowest[i], found[i]);
    }
    return lowest;
  };
  std::vector<Recovery::Row> rows{
      {settings.coordinate_descent ? "lcod" : "lista", nmse_of_network(*net, test, depths)}};
  if (settings.coordinate_descent) {
    rows.push_back(
        {"coordinate_descent", best([&](const Coding& one) { return coordinate_descent(one, test); })});
    return rows;
  }
  rows.push_back({"ista", best([&](const Coding& one) {
                    return nmse_of_iterations(one.graph, Ista(one.z), one.y, one.z, test, depths);
                  })});
  rows.push_back({"fista", best([&](const Coding& one) {
                    return nmse_of_iterations(one.graph, Fista(one.z), one.y, one.z, test, depths);
                  })});
  if (of_signals) rows.push_back({"message_passing", nmse_of_message_passing(signals, test, kAlpha, depths)});
  return rows;
}

std::shared_ptr<const Lista> make_lista(const Settings& settings, const StageContext& context) {
  const SparseSignals signals = sparse_signals(context.data_options.seed, context.data_options.size);
  if (context.data != "sparse_signals" || context.sample_shape != Shape{signals.options().measurements}) {
    throw Error(
        fmt::format("[lista] expected data.name = \"sparse_signals\", whose codes are known, received \"{}\"",
                    context.data));
  }
  Lista lista{.settings = settings,
              .signals = signals,
              .placement = context.placement,
              .model = coding(signals, settings.lambda, context.placement)};
  const auto& [graph, y, z] = lista.model;
  lista.net = std::make_shared<const Unrolled>(
      settings.coordinate_descent ? unroll(graph, CoordinateDescent(z), y, z, settings.unroll)
                                  : unroll(graph, Ista(z), y, z, settings.unroll));
  return std::make_shared<const Lista>(std::move(lista));
}

/// Adds the factor that training lowers, and says how.
void add_objective(const std::shared_ptr<const Lista>& lista, const Variable& signal, const Variable& target,
                   Stage& stage) {
  const Settings& settings = lista->settings;
  if (settings.target == "energy") {
    stage.graph.add(Amortised(signal, lista->model.graph, lista->model.y, lista->model.z, lista->net));
    stage.objective = std::make_shared<const MeanEnergy>();
    return;
  }
  MeanEnergyOptions options;
  if (settings.target == "minimum") {
    options.prepare = [lista, signal, target](const State& batch, Key key) {
      return batch.with(target, lista->minimum(batch[signal], 1e-4, key));
    };
  }
  // All layers of ISTA are trained at once; of the many of coordinate descent, those that are reported.
  const auto factor = std::make_shared<const UnrolledError>(
      target, lista->net, signal,
      UnrolledErrorOptions{.depths = settings.coordinate_descent ? settings.depths : std::vector<Index>{}});
  stage.graph.add(factor);
  if (settings.total) {
    stage.objective = std::make_shared<const TotalError>(factor, std::move(options));
  } else {
    stage.objective = std::make_shared<const MeanEnergy>(std::move(options));
  }
}

Stage build(const Settings& settings, const StageContext& context) {
  const std::shared_ptr<const Lista> lista = make_lista(settings, context);
  Stage stage;
  const Variable signal = stage.graph.real("y", lista->model.y.shape);
  const Variable target = stage.graph.real("x", lista->model.z.shape);
  add_objective(lista, signal, target, stage);
  stage.inputs = {{"signal", signal}};
  stage.encoder = lista->net;
  // New signals in every epoch.
  stage.batches = [lista, signal, target](Index count) {
    return Source{count, [=](std::span<const Index> rows, Key key) {
                    const SparseSignals::Batch batch = lista->signals.batch(rows, key, lista->placement);
                    return State().set(signal, batch.y).set(target, batch.x);
                  }};
  };
  stage.monitors = stage.measures = {"nmse"};
  stage.facets.set(Recovery{.depths = settings.depths,
                            .network =
                                [lista](Index samples) {
                                  return [lista, test = lista->test_signals(samples)] {
                                    return nmse_of_network(*lista->net, test, lista->settings.depths);
                                  };
                                },
                            .compare = [lista](Index samples) { return lista->compare(samples); }});
  return stage;
}

StageBuilder read(StageTables& tables, bool coordinate_descent) {
  tables.plots = {"nmse"};
  Settings settings;
  settings.coordinate_descent = coordinate_descent;
  const Reader model(tables.config.table("model"));
  UnrollOptions& unroll = settings.unroll;
  unroll.steps = model.count("steps", 1, coordinate_descent ? 64 : 16);
  unroll.sharing =
      model.table().choice("sharing", {"tied", "untied"}, "tied") == "tied" ? Sharing::Tied : Sharing::Untied;
  unroll.threshold_per_unit = model.table().boolean("threshold_per_unit", false);
  settings.lambda = model.within("lambda", 0.0, kInfinity, 0.1);
  unroll.coupled = model.table().boolean("coupled", false);
  if (coordinate_descent) {
    const std::string last = model.table().choice("last_shrink", {"off", "all", "unmoved"}, "all");
    unroll.last_shrink = last == "off"   ? LastShrink::Off
                         : last == "all" ? LastShrink::All
                                         : LastShrink::Unmoved;
  } else {
    unroll.select = model.within("select", 0.0, 1.0, 0.0);
    unroll.select_at_most = model.within("select_at_most", 0.0, 1.0, 0.13);
    if (!unroll.coupled) unroll.inhibition = model.within("inhibition", 0.0, 1.0, 1.0);
  }
  const Config train = tables.config.table("train");
  settings.target = tables.objective = train.choice("objective", {"signals", "minimum", "energy"}, "signals");
  if (settings.target != "energy") {
    settings.total =
        train.choice("error", {"each", "total"}, coordinate_descent ? "total" : "each") == "total";
  }
  if (tables.smoke) unroll.steps = std::min<Index>(unroll.steps, 4);
  settings.depths = powers_of_two(unroll.steps);
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace

StageBuilder read_lista(StageTables& tables) { return read(tables, false); }
StageBuilder read_lcod(StageTables& tables) { return read(tables, true); }

}  // namespace basin
