#pragma once

#include "energy/sample/mean_field.h"
#include "modules/module.h"

namespace basin {

/// K updates of mean field as a network: from values of `from` to the means of `to`, with history through all
/// of them, so that the graph's own parameters are trained by any loss of the means as those of a recurrent
/// net with K layers of tied weights are,
///   m_0 the uniform q,   m_k = sigma(-dE/dm (x, m_{k-1})) for bits, and so on (MeanField),
/// K = options().iterations. With Updates::Parallel one layer is one gradient of the energy. The numbers are
/// those of iterate(mean_field, ...).
/// References: Stoyanov, Ropson, Eisner 2011, "Empirical risk minimization of graphical model parameters
/// given approximate inference, decoding, and model structure"; Zheng et al. 2015, "Conditional random fields
/// as recurrent neural networks".
class UnrolledMeanField final : public Module {
 public:
  /// Throws Error when `from` is one of the units, `to` is none, or the graph lacks one of them.
  UnrolledMeanField(FactorGraph graph, Variable from, Variable to, MeanField mean_field);

  /// [N, from.shape...] -> [N, to.shape...], of samples in the context given.
  Value forward(const Value& x, const Context& context = {}) const override;
  /// The graph's.
  std::vector<Parameter> parameters() const override { return graph_.parameters(); }

 private:
  FactorGraph graph_;
  Variable from_, to_;
  MeanField mean_field_;
};

}  // namespace basin
