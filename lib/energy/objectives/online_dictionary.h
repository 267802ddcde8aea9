#pragma once

#include <string>
#include <vector>

#include "energy/objectives/latent_minimum.h"

namespace basin {

struct OnlineDictionaryOptions {
  /// Earlier batches count by (1 - 1/t)^forget at batch t: 0 = all alike, larger forgets faster the codes of
  /// early dictionaries.
  double forget = 20.0;
};

/// Dictionary learning without a learning rate: after each batch, the dictionary D [atoms, features] moves to
/// lower
///   1/2 tr(D' A D) - tr(D' B),   A <- w A + Z'Z / N,   B <- w B + Z'Y / N,   w = (1 - 1/t)^forget,
/// the mean reconstruction error of all codes so far, by one pass of block coordinate descent over atoms
/// of norm 1. All other parameters (an encoder's) have the gradients of the given LatentMinimum, which also
/// infers the codes.
///
/// Metrics as LatentMinimum. Carry: "online.gram" A, "online.cross" B, "online.batches" [1], and the
/// LatentMinimum's.
/// Reference: Mairal, Bach, Ponce, Sapiro 2010, "Online learning for matrix factorization and sparse coding",
/// algorithms 1-2, sec. 3.4.
class OnlineDictionary final : public Objective {
 public:
  /// `dictionary` names the parameter: the weight of a Linear decoder without bias in a SquaredError(y,
  /// Linear, z).
  OnlineDictionary(LatentMinimum minimum, std::string dictionary, OnlineDictionaryOptions options = {});

  std::string name() const override { return "online_dictionary"; }
  /// Throws Error when the dictionary is not what the constructor asks for.
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override;
  Rules rules(const FactorGraph& graph) const override { return minimum_.rules(graph); }

 private:
  LatentMinimum minimum_;
  std::string dictionary_;
  OnlineDictionaryOptions options_;
};

}  // namespace basin
