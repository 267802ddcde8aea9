#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "energy/minimise/unroll/unroll.h"
#include "energy/objectives/objective.h"

namespace basin {

struct UnrolledErrorOptions {
  std::vector<Index> depths = {};  // numbers of layers whose codes are compared; none: all of them
  bool total = false;              // one error for the batch instead of one a sample
  double floor = 1e-5;             // relative squared error of a sample below which nothing more is gained
  /// What becomes of a batch before that, under the key of the step: targets that are inferred.
  std::function<State(const State& batch, Key key)> prepare = {};
};

/// Lowers the errors of an unrolled inference y -> z_k(y) at several depths k at once, each on its own scale
/// (10 / log 10 times a term is an error in dB), so that one network serves at every depth:
///   loss = sum_k mean_n log(floor + |x_n - z_k(y_n)|^2 / |x_n|^2),   in which easy samples count as much as
///   hard ones, or, total,
///   loss = sum_k log(sum_n |x_n - z_k(y_n)|^2 / sum_n |x_n|^2),      in which the hard ones decide.
/// The graph holds SquaredError(x, net, y), the energy of the last of those errors. Metrics: "loss".
class UnrolledError final : public Objective {
 public:
  /// Throws Error when x is not of the code's shape or a depth is not one of the network's.
  UnrolledError(Variable target, std::shared_ptr<const Unrolled> net, Variable source,
                UnrolledErrorOptions options = {});

  std::string name() const override { return "unrolled_error"; }
  std::string unit() const override { return "squared error"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Variable target_;
  std::shared_ptr<const Unrolled> net_;
  Variable source_;
  UnrolledErrorOptions options_;
};

}  // namespace basin
