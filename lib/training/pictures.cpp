#include "training/pictures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "autograd/ops.h"
#include "energy/block_gibbs.h"
#include "energy/conditional.h"
#include "energy/rewrite/gibbs.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/history.h"

namespace basin {
namespace {

Tensor first_states(const Rbm& rbm, const Carry& carry, Index chains, Key key) {
  const auto particles = carry.find("particles." + rbm.v.name);
  if (particles != carry.end()) {
    const Source from = source(rbm.v, particles->second, rbm.graph.placement());
    std::vector<Index> rows;
    for (Index i = 0; i < chains; ++i) {
      rows.push_back(i % from.count);
    }
    return from.batch(rows, key)[rbm.v].tensor();
  }
  Shape shape = rbm.v.shape;
  shape.insert(shape.begin(), chains);
  if (rbm.v.domain == Domain::Binary) {
    return bernoulli(key, Tensor::full(shape, 0.5, rbm.graph.placement()));
  }
  const Tensor normals = normal(key, shape, rbm.graph.placement());
  return rbm.v.domain == Domain::NonNegative ? abs(Value(normals)).tensor() : normals;
}

}  // namespace

Tensor fantasies(const Plan& plan, const Rbm& rbm, const Carry& carry, const SampleOptions& options) {
  const Key key = Key(plan.seed).fold("samples");
  State state;
  state.set(rbm.v, first_states(rbm, carry, options.chains, key.fold("start")));
  // The last sweep draws h last, so that v can be shown as the mean that h expects.
  state = gibbs(rbm.graph, BlockGibbs({{rbm.h}, {rbm.v}}), state, options.steps, key.fold("gibbs"), plan.train.options.fuse);
  state = BlockGibbs({{rbm.h}})(rbm.graph, state, key.fold("last")).state;
  return conditional(rbm.graph, {rbm.v}, state).front().mean().tensor();
}

Tensor basis(const Rbm& rbm) {
  const std::string name = rbm.v.name + "." + rbm.h.name + ".weight";
  for (const Parameter& parameter : rbm.graph.parameters()) {
    if (parameter.name() == name) {
      return transpose(parameter.value().detached(), {1, 0}).tensor();
    }
  }
  throw Error(fmt::format("[basis] expected a parameter {}, received a model without it", name));
}

TileOptions tiles_of(const Shape& sample_shape) {
  TileOptions options;
  if (sample_shape.size() == 2) {
    options.height = static_cast<int>(sample_shape[0]);
    options.width = static_cast<int>(sample_shape[1]);
  }
  return options;
}

void save_curves(const Store& store, const std::string& metric, const std::string& title, bool log_y, const std::string& path) {
  const History history = History::read(store);
  const History::Table& table = history.epochs();
  std::string chosen = metric;
  if (chosen.empty()) {
    for (const char* telling : {"pseudo_likelihood", "reconstruction_error", "loss"}) {
      const auto found = table.columns.lower_bound(telling);
      if (found != table.columns.end() && found->first.starts_with(telling)) {
        chosen = telling;
        break;
      }
    }
  }
  std::vector<Curve> curves;
  std::vector<std::string> known;
  std::string unit;
  for (const auto& [name, column] : table.columns) {
    known.push_back(name);
    if (!chosen.empty() && name.starts_with(chosen)) {
      curves.push_back({.label = name, .x = std::vector<double>(table.at.begin(), table.at.end()), .y = column});
      unit = metric_unit(name);
    }
  }
  if (curves.empty()) {
    throw Error(fmt::format("[curves] expected a metric of the file, received '{}'; it holds: {}", metric, fmt::join(known, ", ")));
  }
  PlotOptions options;
  options.title = title;
  options.x_label = "epoch";
  options.y_label = fmt::format("{} ({})", chosen, unit);
  options.log_y = log_y;
  save_plot(curves, options, path);
}

}  // namespace basin
