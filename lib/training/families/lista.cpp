#include "training/families/lista.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "autograd/ops.h"
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
#include "training/families/lista_baselines.h"
#include "training/plan.h"
#include "training/reader.h"

namespace basin {
namespace {

constexpr double kLambdas[] = {0.4, 0.2, 0.1, 0.05,
                               0.025};  // of the baselines: each depth has its own best one
constexpr double kAlpha = 1.1;          // of approximate message passing
constexpr Index kMonitored = 500;       // samples

/// 1, 2, 4, ... and the last.
std::vector<Index> powers_of_two(Index steps) {
  std::vector<Index> depths;
  for (Index depth = 1; depth < steps; depth *= 2) depths.push_back(depth);
  depths.push_back(steps);
  return depths;
}

ListaSettings read_settings(const Config& config, Plan& plan, bool coordinate_descent) {
  ListaSettings settings;
  settings.coordinate_descent = coordinate_descent;
  const Reader model(config.table("model"));
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
  const Reader train(config.table("train"));
  settings.target = plan.train.objective =
      train.table().choice("objective", {"signals", "minimum", "energy"}, "signals");
  if (settings.target != "energy") {
    settings.total =
        train.table().choice("error", {"each", "total"}, coordinate_descent ? "total" : "each") == "total";
  }
  const Index steps = plan.smoke ? std::min<Index>(unroll.steps, 4) : unroll.steps;
  unroll.steps = steps;
  settings.depths = powers_of_two(steps);
  return settings;
}

template <bool coordinate_descent>
void read(const Config& config, Plan& plan) {
  const ListaSettings settings = read_settings(config, plan, coordinate_descent);
  plan.build = [settings](const Plan& all, const Shape& sample_shape, Device device) {
    return std::make_unique<ListaLearner>(all, settings, sample_shape, device);
  };
}

std::vector<Index> first_rows(Index count) {
  std::vector<Index> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

/// E(y, z) = 1/2 |y - A z|^2 + lambda |z|_1 over y and z of a graph without factors.
void add_coding(FactorGraph& graph, const Variable& y, const Variable& z, const Tensor& dictionary,
                double lambda, Placement placement) {
  const Linear decoder(z.size(), y.size(), Key(0), {.bias = false, .placement = placement});
  decoder.weight().tensor().copy_from(dictionary);
  graph.add(SquaredError(y, decoder, z)).add(L1(z, lambda));
}

std::string line(const std::string& method, const std::vector<double>& numbers, const char* format) {
  std::string text = fmt::format("{:<22}", method);
  for (const double number : numbers) text += fmt::format(fmt::runtime(format), number);
  return text + "\n";
}

}  // namespace

FamilyKind lista_family() { return {.name = "lista", .plots = {"nmse"}, .read = read<false>}; }

FamilyKind lcod_family() { return {.name = "lcod", .plots = {"nmse"}, .read = read<true>}; }

ListaLearner::ListaLearner(const Plan& plan, const ListaSettings& settings, const Shape& sample_shape,
                           Device device)
    : settings_(settings),
      key_(plan.seed),
      signals_(sparse_signals(plan.data.options.seed, plan.data.options.size)),
      placement_{plan.train.dtype, device} {
  const Index m = signals_.options().measurements, n = signals_.options().atoms;
  if (plan.data.name != "sparse_signals" || sample_shape != Shape{m}) {
    throw Error(
        fmt::format("[{}] expected data.name = \"sparse_signals\", whose codes are known, received \"{}\"",
                    plan.kind->name, plan.data.name));
  }
  y_ = coding_.real("y", {m});
  z_ = coding_.real("z", {n});
  add_coding(coding_, y_, z_, signals_.dictionary(), settings.lambda, placement_);
  net_ = std::make_shared<const Unrolled>(
      settings.coordinate_descent ? unroll(coding_, CoordinateDescent(z_), y_, z_, settings.unroll)
                                  : unroll(coding_, Ista(z_), y_, z_, settings.unroll));
  signal_ = graph_.real("y", {m});
  target_ = graph_.real("x", {n});
  MeanEnergyOptions options;
  if (settings.target == "minimum") {
    options.prepare = [this](const State& batch, Key key) {
      return batch.with(target_, minimum(batch[signal_], 1e-4, key));
    };
  }
  if (settings.target == "energy") {
    graph_.add(Amortised(signal_, coding_, y_, z_, net_));
    objective_ = std::make_unique<MeanEnergy>();
    return;
  }
  // All moves of ISTA are trained at once; of the many of coordinate descent, those that are reported.
  const auto factor = std::make_shared<const UnrolledError>(
      target_, net_, signal_,
      UnrolledErrorOptions{.depths = settings.coordinate_descent ? settings.depths : std::vector<Index>{}});
  graph_.add(factor);
  if (settings.total) {
    objective_ = std::make_unique<TotalError>(factor, std::move(options));
  } else {
    objective_ = std::make_unique<MeanEnergy>(std::move(options));
  }
}

Source ListaLearner::batches(const Dataset& data) const {
  return Source(data.train.count, [this](std::span<const Index> rows, Key key) {
    const SparseSignals::Batch batch = signals_.batch(rows, key, placement_);
    return State().set(signal_, batch.y).set(target_, batch.x);
  });
}

Value ListaLearner::minimum(const Value& y, double tolerance, Key key) const {
  const State clamped = State().set(y_, y);
  const std::optional<double> largest = largest_useful_weight(coding_, z_, clamped);
  if (largest && settings_.lambda >= *largest) {
    throw Error(fmt::format(
        "[lista] expected model.lambda below {:.4g}, from which all codes are zero, received {}; lower it",
        *largest, settings_.lambda));
  }
  const InferOptions options{.max_steps = 1000000, .tolerance = tolerance};
  const Inferred found = infer(coding_, z_, CoordinateDescent(z_), clamped, options, key);
  if (found.unconverged > 0) {
    Convergence convergence;
    convergence.add(found);
    throw Error(
        fmt::format("[lista] expected lasso codes with gaps of at most {}, received up to {:.2g} in {}; "
                    "raise model.lambda, or take "
                    "train.dtype = \"f64\"",
                    tolerance, convergence.worst, to_string(placement_.dtype)));
  }
  return found.state[z_];
}

SparseSignals::Batch ListaLearner::test_signals(Index samples) const {
  SparseSignals::Batch batch = signals_.batch(first_rows(samples), signals_.key().fold("test"), placement_);
  if (settings_.target != "signals")
    batch.x = minimum(batch.y, placement_.dtype == Dtype::F64 ? 1e-6 : 1e-4, Key(0)).tensor();
  return batch;
}

Monitor ListaLearner::monitor(const Dataset& data) const {
  const SparseSignals::Batch test = test_signals(std::min(data.test.count, kMonitored));
  return [this, test](Index /*epoch*/) {
    const std::vector<double> errors = nmse_of_network(*net_, test, settings_.depths);
    std::map<std::string, double> metrics;
    for (std::size_t i = 0; i < errors.size(); ++i)
      metrics[fmt::format("nmse_test_{}", settings_.depths[i])] = errors[i];
    return metrics;
  };
}

std::vector<ListaLearner::Row> ListaLearner::compare(Index samples) const {
  const SparseSignals::Batch test = test_signals(samples);
  const std::vector<Index>& depths = settings_.depths;
  // The baselines have the best lambda of each depth, which no single run of them has: the network must beat
  // even that. Where codes are those of a lasso, its lambda is the one.
  const bool of_signals = settings_.target == "signals";
  const std::vector<double> lambdas = of_signals
                                          ? std::vector<double>(std::begin(kLambdas), std::end(kLambdas))
                                          : std::vector<double>{settings_.lambda};
  const auto best = [&](const std::function<std::vector<double>(const FactorGraph&, const Variable&,
                                                                const Variable&)>& errors) {
    std::vector<double> lowest(depths.size(), kInfinity);
    for (const double lambda : lambdas) {
      FactorGraph graph;
      const Variable y = graph.real("y", y_.shape), z = graph.real("z", z_.shape);
      add_coding(graph, y, z, signals_.dictionary(), lambda, placement_);
      const std::vector<double> found = errors(graph, y, z);
      for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = std::min(lowest[i], found[i]);
    }
    return lowest;
  };
  std::vector<Row> rows{
      {settings_.coordinate_descent ? "lcod" : "lista", nmse_of_network(*net_, test, depths)}};
  if (settings_.coordinate_descent) {
    rows.push_back(
        {"coordinate_descent", best([&](const FactorGraph& graph, const Variable& y, const Variable& z) {
           const auto errors = [&](LastShrink last_shrink) {
             const UnrollOptions options{
                 .steps = depths.back(), .sharing = Sharing::Tied, .last_shrink = last_shrink};
             return nmse_of_network(unroll(graph, CoordinateDescent(z), y, z, options), test, depths);
           };
           std::vector<double> lowest = errors(LastShrink::Off);
           const std::vector<double> shrunk = errors(LastShrink::All);
           for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = std::min(lowest[i], shrunk[i]);
           return lowest;
         })});
    return rows;
  }
  rows.push_back({"ista", best([&](const FactorGraph& graph, const Variable& y, const Variable& z) {
                    return nmse_of_moves(graph, Ista(z), y, z, test, depths);
                  })});
  rows.push_back({"fista", best([&](const FactorGraph& graph, const Variable& y, const Variable& z) {
                    return nmse_of_moves(graph, Fista(z), y, z, test, depths);
                  })});
  if (of_signals)
    rows.push_back({"message_passing", nmse_of_message_passing(signals_, test, kAlpha, depths)});
  return rows;
}

std::string ListaLearner::evaluate(const Dataset& data, const Carry& /*carry*/, Store& store,
                                   const Say& say) const {
  if (say) say("error against number of moves, beside untrained inference");
  store.put("/evaluation/depth", std::vector<std::int64_t>(settings_.depths.begin(), settings_.depths.end()));
  std::string text =
      line("NMSE in dB, moves:", std::vector<double>(settings_.depths.begin(), settings_.depths.end()),
           "{:>9.0f}");
  for (const Row& row : compare(data.test.count)) {
    const std::string path = "/evaluation/nmse/" + row.method;
    store.put(path, row.nmse);
    store.attribute(path, "unit", std::string("dB"));
    text += line(row.method, row.nmse, "{:>9.2f}");
  }
  return text;
}

void ListaLearner::draw(const Drawing& drawing, const DataSupply& data, const Carry& /*carry*/) const {
  if (drawing.plot != "nmse") throw Error(fmt::format("[draw] expected nmse, received '{}'", drawing.plot));
  std::vector<double> depths;
  for (const Index depth : settings_.depths) depths.push_back(std::log2(static_cast<double>(depth)));
  std::vector<Curve> curves;
  for (const Row& row : compare(data.all().test.count))
    curves.push_back({.label = row.method, .x = depths, .y = row.nmse});
  save_plot(curves,
            {.title = "sparse recovery", .x_label = "log2 of the number of moves", .y_label = "NMSE (dB)"},
            drawing.path);
}

}  // namespace basin
