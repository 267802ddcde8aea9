#pragma once

#include <memory>
#include <string>

#include "energy/minimise/unroll/unrolled_error.h"
#include "energy/objectives/mean_energy.h"

namespace basin {

/// loss = sum_k log( sum_n |x_n - z_k(y_n)|^2 / sum_n |x_n|^2 ) over a batch: 10 / log 10 times a term is the
/// normalised mean squared error of depth k in dB. Where UnrolledError as an energy gives every sample its
/// own logarithm, so that easy samples count as much as hard ones, here the whole batch has one, and the hard
/// ones decide. Metrics: "loss".
class TotalError final : public Objective {
 public:
  /// `factor` is one of the graph's. `prepare` as of MeanEnergy.
  explicit TotalError(std::shared_ptr<const UnrolledError> factor, MeanEnergyOptions options = {});

  std::string name() const override { return "total_error"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  std::shared_ptr<const UnrolledError> factor_;
  MeanEnergyOptions options_;
};

}  // namespace basin
