#include "training/measures/density.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/enumerate.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMostBits = 20;
constexpr Index kRows = 4096;  // evaluated at a time
constexpr double kLeastBeta = 1e-3, kMostBeta = 1e6;

bool is_plane(const Variable& x) { return x.domain == Domain::Real && x.size() == 2 && !x.is_free(); }

void add_energies(const SampleEnergy& of, const Value& rows, std::vector<double>& all) {
  for (const double energy : of.energy(rows).tensor().values()) {
    if (!std::isfinite(energy))
      throw Error(fmt::format("[density] expected finite energies, received {}", energy));
    all.push_back(energy);
  }
}

Value points_of(const Variable& x, const std::vector<double>& numbers, Placement placement) {
  const auto rows = static_cast<Index>(numbers.size()) / x.size();
  return Tensor::from(numbers, batched(x, rows), placement);
}

/// Points that are as likely everywhere: of the square, or of all states.
std::vector<double> uniform_energies(const SampleEnergy& of, const DensityGrid& grid, Placement placement,
                                     Key key) {
  std::vector<double> numbers =
      uniform(key, {grid.uniform * of.x.size()}, {Dtype::F64, Device::Cpu}).values();
  for (double& number : numbers)
    number = is_plane(of.x) ? grid.reach * (2.0 * number - 1.0) : (number < 0.5 ? 0.0 : 1.0);
  std::vector<double> energies;
  add_energies(of, points_of(of.x, numbers, placement), energies);
  return energies;
}

double mean_of(const std::vector<double>& numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& of = need<SampleEnergy>(view.stage, "density");
  const auto& grid = need<DensityGrid>(view.stage, "density");
  require_countable(of.x);
  const Key key = view.stage.key.fold("evaluate").fold("density");
  const auto& [samples, part] = judged(view);
  for (const Samples* measured : {&samples, &view.data().validation})
    require_inside_grid(view.stage, *measured);
  const Source test = stage_source(view.stage, samples);
  const std::vector<double> energies = energies_of(of, test, key.fold("test"));
  const EnergyTable table = energy_table(of, grid, view.stage.placement);
  double beta = 1.0;
  if (const Samples& validation = view.data().validation; validation.count > 0) {
    const Source source = stage_source(view.stage, validation);
    beta = table.inverse_temperature(energies_of(of, source, key.fold("validation")));
  }
  const double log_z = table.log_partition(beta);
  const double likelihood = -beta * mean_of(energies) - log_z;
  const double unscaled = -mean_of(energies) - table.log_partition(1.0);
  const double auc =
      area_under_curve(energies, uniform_energies(of, grid, view.stage.placement, key.fold("uniform")));
  put_result(store, {"log_likelihood_" + part, "nats", Better::Up}, likelihood);
  put_result(store, {"log_likelihood_" + part + "_unscaled", "nats", Better::Up}, unscaled);
  put_result(store, {"log_partition", "nats"}, log_z);
  put_result(store, {"inverse_temperature", "1"}, beta);
  put_result(store, {"auc_" + part, "1", Better::Up}, auc);
  return fmt::format("density      {} {:.4f} nats at inverse temperature {:.4g} ({:.4f} at 1), AUC {:.4f}\n",
                     part, likelihood, beta, unscaled, auc);
}

}  // namespace

SampleEnergy free_energy_of(const FactorGraph& graph, const Variable& x) {
  Block latents = graph.variables();
  std::erase(latents, x);
  return {x, [graph, x, latents](const Value& rows) {
            return free_energy(graph, latents, State().set(x, rows.detached())).detached();
          }};
}

double EnergyTable::log_partition(double beta) const {
  const double least = *std::ranges::min_element(energy);
  double sum = 0.0;
  for (const double e : energy) sum += std::exp(-beta * (e - least));
  return std::log(sum) - beta * least + log_cell;
}

double EnergyTable::inverse_temperature(const std::vector<double>& energies) const {
  // The log-likelihood is concave in beta, so that it has one top in log beta: golden sections.
  const double mean = mean_of(energies), share = 0.5 * (std::sqrt(5.0) - 1.0);
  const auto likelihood = [&](double log_beta) {
    return -std::exp(log_beta) * mean - log_partition(std::exp(log_beta));
  };
  double low = std::log(kLeastBeta), high = std::log(kMostBeta);
  double a = high - share * (high - low), b = low + share * (high - low);
  double at_a = likelihood(a), at_b = likelihood(b);
  while (high - low > 1e-4) {
    if (at_a >= at_b) {
      high = b, b = a, at_b = at_a;
      a = high - share * (high - low), at_a = likelihood(a);
    } else {
      low = a, a = b, at_a = at_b;
      b = low + share * (high - low), at_b = likelihood(b);
    }
  }
  return std::exp(0.5 * (low + high));
}

void require_inside_grid(const Stage& stage, const Samples& samples) {
  const auto* grid = stage.facets.get<DensityGrid>();
  if (grid == nullptr || samples.count == 0 || !is_plane(need<SampleEnergy>(stage, "density").x)) return;
  const Variable& x = need<SampleEnergy>(stage, "density").x;
  const Source source = stage_source(stage, samples);
  walk_through(source, source.count(), stage.key.fold("density"), [&](const State& state, Index) {
    for (const double number : state[x].tensor().values()) {
      if (std::abs(number) < grid->reach) continue;
      throw Error(
          fmt::format("[density] expected samples inside the square of reach {}, received {:.4g}; raise "
                      "evaluate.density.reach",
                      grid->reach, number));
    }
  });
}

void require_countable(const Variable& x) {
  if (is_plane(x) || (x.domain == Domain::Binary && !x.is_free() && x.size() <= kMostBits)) return;
  throw Error(
      fmt::format("[density] expected samples of two real numbers, or of at most {} bits, over which Z "
                  "is summed, received {} of {} numbers that are {}; leave evaluate.density out",
                  kMostBits, x.name, x.size(), to_string(x.domain)));
}

EnergyTable energy_table(const SampleEnergy& of, const DensityGrid& grid, Placement placement) {
  require_countable(of.x);
  EnergyTable table;
  if (!is_plane(of.x)) {
    const Index count = state_count({of.x});
    for (Index begin = 0; begin < count; begin += kRows) {
      const Index end = std::min(begin + kRows, count);
      add_energies(of, enumerate_states({of.x}, begin, end, placement)[of.x], table.energy);
    }
    return table;
  }
  const double cell = 2.0 * grid.reach / static_cast<double>(grid.side);
  table.log_cell = 2.0 * std::log(cell);
  const auto at = [&](Index i) { return -grid.reach + cell * (static_cast<double>(i) + 0.5); };
  const Index at_once = std::max<Index>(1, kRows / grid.side);
  for (Index begin = 0; begin < grid.side; begin += at_once) {
    std::vector<double> points;
    for (Index j = begin; j < std::min(begin + at_once, grid.side); ++j) {
      for (Index i = 0; i < grid.side; ++i) points.push_back(at(i)), points.push_back(at(j));
    }
    add_energies(of, points_of(of.x, points, placement), table.energy);
  }
  return table;
}

std::vector<double> energies_of(const SampleEnergy& of, const Source& samples, Key key) {
  std::vector<double> energies;
  walk_through(samples, samples.count(), key,
               [&](const State& state, Index) { add_energies(of, state[of.x], energies); });
  return energies;
}

double area_under_curve(const std::vector<double>& samples, const std::vector<double>& points) {
  std::vector<double> sorted = points;
  std::ranges::sort(sorted);
  double higher = 0.0;
  for (const double energy : samples) {
    const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), energy);
    higher += static_cast<double>(sorted.end() - to) + 0.5 * static_cast<double>(to - from);
  }
  return higher / (static_cast<double>(samples.size()) * static_cast<double>(points.size()));
}

Measure density_measure() {
  return {.name = "density",
          .metrics = {},
          .results = {"log_likelihood_test", "log_likelihood_test_unscaled", "log_partition",
                      "inverse_temperature", "auc_test"},
          .evaluate = evaluate};
}

}  // namespace basin
