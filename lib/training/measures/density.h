#pragma once

#include <functional>

#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that gives its samples an energy, latents summed out or at their best.
struct SampleEnergy {
  static constexpr const char* kWhat = "an energy of its samples";

  Variable x;
  std::function<Value(const Value& x)> energy;  // [N, x.shape...] -> [N], without history
};

/// F(x) of a graph, all its other variables summed out.
SampleEnergy free_energy_of(const FactorGraph& graph, const Variable& x);

/// Facet: [evaluate] density asks for the density that the energy stands for.
struct DensityGrid {
  static constexpr const char* kWhat = "a density by a grid";

  double reach = 4.0;     // of real samples: the square [-reach, reach]^2
  Index side = 200;       // points of an axis
  Index uniform = 10000;  // points that AUC tells test samples from
};

/// Energies at the points over which Z is summed: the middles of a grid's cells, or all states of bits.
struct EnergyTable {
  std::vector<double> energy;
  double log_cell = 0.0;  // log of the area of a cell; 0 of states
  double inverse_temperature(const std::vector<double>& energies) const;
  /// log sum exp(-beta E) and the area.
  double log_partition(double beta) const;
};
/// Throws Error unless samples are two real numbers or few bits.
void require_countable(const Variable& x);
/// Throws Error for samples of a stage that lie outside the grid that is asked for, as before it is trained.
void require_inside_grid(const Stage& stage, const Samples& samples);
EnergyTable energy_table(const SampleEnergy& of, const DensityGrid& grid, Placement placement);
/// Energies of samples, in f64.
std::vector<double> energies_of(const SampleEnergy& of, const Source& samples, Key key);

/// The share of pairs of a sample and a point in which the sample's energy is the lower, ties by halves: the
/// area under the curve of hits against false alarms.
double area_under_curve(const std::vector<double>& samples, const std::vector<double>& points);

/// "density": the log-likelihood of test samples under exp(-beta E) / Z(beta), Z by a grid over the plane or
/// by all states of at most 20 bits: "log_likelihood_test"; beta, "inverse_temperature", is the likeliest of
/// the validation samples (of strategies that leave the scale of E open), or 1 where there are none;
/// "log_likelihood_test_unscaled" at beta = 1, "log_partition" at beta, and "auc_test": how well E tells test
/// samples from uniform points. Throws Error for samples that are neither two real numbers nor few bits, and
/// for those outside the grid.
Measure density_measure();

}  // namespace basin
