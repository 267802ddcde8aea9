#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latents/unrolled_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/measures/nmse.h"

/// Unrolled inference that learns to find sparse codes: "lista" (of ISTA), "lcod" (of coordinate descent).
namespace basin {
namespace {

struct Settings {
  bool by_coordinates = false;
  UnrollOptions unroll;
  double lambda = 0.1;
  std::string target;  // "signals": the codes that made the signals; "minimum": min_z E; "energy": no target,
                       // E itself
  bool total = false;  // the error of the whole batch counts, else that of each sample
  std::vector<Index> depths;  // 1, 2, 4, ... and the last: trained and reported
};

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

struct Lista {
  Settings settings;
  SparseSignals signals;
  Placement placement;
  Coding model;  // of inference
  std::shared_ptr<const Unrolled> net;

  Lista(const Settings& given, const StageContext& context)
      : settings(given),
        signals(sparse_signals(context.data_options.seed, context.data_options.size)),
        placement(context.placement),
        model(coding(signals, settings.lambda, placement)) {
    if (context.data != "sparse_signals" || context.sample_shape != Shape{signals.options().measurements}) {
      throw Error(fmt::format(
          "[lista] expected data.name = \"sparse_signals\", whose codes are known, received \"{}\"",
          context.data));
    }
    net = std::make_shared<const Unrolled>(unrolled(model, settings.unroll));
  }

  Unrolled unrolled(const Coding& one, const UnrollOptions& options) const {
    return settings.by_coordinates ? unroll(one.graph, CoordinateDescent(one.z), one.y, one.z, options)
                                   : unroll(one.graph, Ista(one.z), one.y, one.z, options);
  }
  /// Codes of the lasso, to a relative duality gap.
  Value minimum(const Value& y, double tolerance, Key key) const;
  /// Signals and what their codes are compared with: the codes that made them, or the lasso's, as in
  /// training.
  SparseSignals::Batch signals_of(const std::string& part, Index samples) const;
  std::vector<Recovery::Rival> rivals() const;
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
  if (const std::string text = warning(found, options); !text.empty()) {
    throw Error(fmt::format("[lista] {}, or take train.dtype = \"f64\" instead of {}", text,
                            to_string(placement.dtype)));
  }
  return found.state[model.z];
}

SparseSignals::Batch Lista::signals_of(const std::string& part, Index samples) const {
  std::vector<Index> rows;
  for (Index i = 0; i < samples; ++i) rows.push_back(i);
  SparseSignals::Batch batch = signals.batch(rows, signals.key().fold(part), placement);
  if (settings.target != "signals")
    batch.x = minimum(batch.y, placement.dtype == Dtype::F64 ? 1e-6 : 1e-4, Key(0)).tensor();
  return batch;
}

/// They have the best lambda of each depth, which no single run of them has: the network must beat even that.
/// Where codes are those of a lasso, its lambda is the one.
std::vector<Recovery::Rival> Lista::rivals() const {
  std::vector<double> lambdas{settings.lambda};
  if (settings.target == "signals") lambdas = {0.4, 0.2, 0.1, 0.05, 0.025};
  Recovery::Rival ista{"ista", {}}, fista{"fista", {}}, descent{"coordinate_descent", {}};
  for (const double lambda : lambdas) {
    const Coding one = coding(signals, lambda, placement);
    UnrollOptions options{.steps = settings.depths.back(), .sharing = Sharing::Graph};
    if (!settings.by_coordinates) {
      ista.networks.push_back(unrolled(one, options));
      fista.networks.push_back(unroll(one.graph, Fista(one.z), one.y, one.z, options));
      continue;
    }
    options.sharing = Sharing::Tied;
    for (const LastShrink last : {LastShrink::Off, LastShrink::All}) {
      options.last_shrink = last;
      descent.networks.push_back(unrolled(one, options));
    }
  }
  if (settings.by_coordinates) return {descent};
  return {ista, fista};
}

/// Adds the factor that training lowers, and says how.
void add_objective(const std::shared_ptr<const Lista>& lista, const Variable& signal, const Variable& target,
                   Stage& stage) {
  const Settings& settings = lista->settings;
  if (settings.target == "energy") {
    const auto energy = [lista](const Value& y, const Context& /*context*/) {
      const auto& [graph, inner_y, inner_z] = lista->model;
      return graph.energy(State().set(inner_y, y).set(inner_z, lista->net->forward(y)));
    };
    stage.graph.add(Network(Function(energy, lista->net->parameters()), {signal}, {.label = "y.z"}));
    stage.objective = std::make_shared<const MeanEnergy>();
    return;
  }
  // All layers of ISTA are trained at once; of the many of coordinate descent, those that are reported.
  UnrolledErrorOptions options{.total = settings.total};
  if (settings.by_coordinates) options.depths = settings.depths;
  if (settings.target == "minimum") {
    options.prepare = [lista, signal, target](const State& batch, Key key) {
      return batch.with(target, lista->minimum(batch[signal], 1e-4, key));
    };
  }
  stage.graph.add(SquaredError(target, lista->net, signal));
  stage.objective = std::make_shared<const UnrolledError>(target, lista->net, signal, std::move(options));
}

Stage build(const Settings& settings, const StageContext& context) {
  const auto lista = std::make_shared<const Lista>(settings, context);
  Stage stage;
  const Variable signal = stage.graph.real("y", lista->model.y.shape);
  const Variable target = stage.graph.real("x", lista->model.z.shape);
  add_objective(lista, signal, target, stage);
  stage.inputs = {{"signal", signal}};
  stage.encoder = lista->net;
  stage.facets.set(CodeWords{"codes that the network predicts, not inferred ones"});
  // New signals in every epoch.
  stage.batches = [lista, signal, target](Index count) {
    return Source{count, [=](std::span<const Index> rows, Key key) {
                    const SparseSignals::Batch batch = lista->signals.batch(rows, key, lista->placement);
                    return State().set(signal, batch.y).set(target, batch.x);
                  }};
  };
  stage.monitors = stage.measures = {"nmse"};
  stage.facets.set(Recovery{
      .depths = settings.depths,
      .network = lista->net,
      .signals = [lista](const std::string& part, Index samples) { return lista->signals_of(part, samples); },
      .rivals = [lista] { return lista->rivals(); }});
  return stage;
}

StageBuilder read(StageTables& tables, bool by_coordinates) {
  tables.plots = {"nmse"};
  Settings settings;
  settings.by_coordinates = by_coordinates;
  const Reader model(tables.config.table("model"));
  UnrollOptions& unroll = settings.unroll;
  unroll.steps = model.count("steps", 1, by_coordinates ? 64 : 16);
  unroll.sharing =
      model.table().choice("sharing", {"tied", "untied"}, "tied") == "tied" ? Sharing::Tied : Sharing::Untied;
  unroll.threshold_per_unit = model.table().boolean("threshold_per_unit", false);
  settings.lambda = model.within("lambda", 0.0, kInfinity, 0.1);
  unroll.coupled = model.table().boolean("coupled", false);
  if (by_coordinates) {
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
    settings.total = train.choice("error", {"each", "total"}, by_coordinates ? "total" : "each") == "total";
  }
  if (tables.smoke) unroll.steps = std::min<Index>(unroll.steps, 4);
  for (Index depth = 1; depth < unroll.steps; depth *= 2) settings.depths.push_back(depth);
  settings.depths.push_back(unroll.steps);
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace

StageBuilder read_lista(StageTables& tables) { return read(tables, false); }
StageBuilder read_lcod(StageTables& tables) { return read(tables, true); }

}  // namespace basin
