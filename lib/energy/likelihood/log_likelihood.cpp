#include "energy/likelihood/log_likelihood.h"

#include <fmt/format.h>

#include <algorithm>

#include "energy/eliminate/component_energy.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {

double mean_free_energy(const FactorGraph& graph, const Block& latents, const State& data, Index batch) {
  const Index samples = data.batch();
  if (samples < 1 || batch < 1) {
    throw Error(fmt::format(
        "[mean_free_energy] expected samples and a batch size >= 1, received {} samples, batch {}", samples,
        batch));
  }
  const State rest = outside(graph, latents, data);
  const Index replicas = data.context().replicas, step = (batch + replicas - 1) / replicas * replicas;
  double total = 0.0;
  for (Index begin = 0; begin < samples; begin += step) {
    const State part = rows_of(graph, rest, begin, std::min(begin + step, samples));
    for (const double energy : free_energy(graph, latents, part).tensor().values()) total += energy;
  }
  return total / static_cast<double>(samples);
}

double average_log_likelihood(const FactorGraph& graph, const Block& latents, const State& data, double log_z,
                              Index batch) {
  if (data.context().lengths.defined()) {
    throw Error(
        "[average_log_likelihood] expected samples without lengths, received sequences of several, which "
        "have no log Z in common; take mean_free_energy() of those of each length");
  }
  return -mean_free_energy(graph, latents, data, batch) - log_z;
}

}  // namespace basin
