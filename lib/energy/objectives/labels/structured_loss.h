#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "energy/eliminate/eliminate.h"
#include "energy/objectives/objective.h"

namespace basin {

struct StructuredLossOptions {
  double cost = 1.0;  // c, of a unit of the output that is wrong
  EliminateOptions eliminate = {};
};

/// A loss of all values of some outputs y, whatever they are made of: chains, trees, segmentations, labels.
/// With y* what the batch holds, h what it lacks, E(y) = min_h E(x, y, h), F = -log sum exp(-E), the mean
/// over samples of
///   perceptron  E(y*) - min_y E(y)                                     (Collins 2002; LeCun et al. 1998)
///   hinge       E(y*) - min_y [ E(y) - c Hamming(y, y*) ]              cost-augmented inference: max-margin
///               (Taskar, Guestrin, Koller 2003; Tsochantaridis et al. 2005, margin rescaling)
///   nll         F(y*) - F,  latents summed over: the ConditionalLikelihood of y (Lafferty et al. 2001)
///   mce         1 / (1 + exp(E_o - E(y*))), E_o = min over y != y* of E(y): minimum classification error
///               (Juang, Katagiri 1992; LeCun et al. 2006, eq. 25)
/// With latents these are the latent perceptron and hinge (Yu, Joachims 2009): h is the best given y*, and
/// the best with each y. Hamming counts the one-hot groups (positions), or bits, that differ, none past the
/// ends of sequences. E_o is exact: y differs from y* at one position at least, so that E_o is the least of
/// the minima without y*'s value at one position, one for each. Of one label of shape [K] all equal those of
/// LabelLoss with margin c. Equal values share gradients.
/// Metrics: "loss"; "error", the share of samples for which another y has a lower E. Throws Error
/// "[structured_loss] ..." for outputs that are not categorical (of hinge, nll, perceptron also binary), that
/// the batch lacks, and where metrics are asked for on values that are not one-hot; plan_elimination's where
/// they cannot be eliminated.
class StructuredLoss final : public Objective {
 public:
  enum class Kind { Perceptron, Hinge, Nll, Mce };

  StructuredLoss(Block outputs, Kind kind, StructuredLossOptions options = {});

  std::string name() const override;
  std::string unit() const override;
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  /// The loss of each sample, [N], differentiable.
  Value losses(const FactorGraph& graph, const State& batch) const;

 private:
  Block outputs_;
  Kind kind_;
  StructuredLossOptions options_;
};

/// The names of the kinds, in their order.
const std::vector<std::string>& structured_losses();
/// The kind of that name. Throws Error with the known ones.
StructuredLoss::Kind structured_loss(std::string_view name);

}  // namespace basin
