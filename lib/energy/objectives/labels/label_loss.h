#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "energy/fuse.h"
#include "energy/marginal/closed_form.h"
#include "energy/objectives/objective.h"

namespace basin {

struct LabelLossOptions {
  double margin = 1.0;  // m
  double beta = 1.0;    // inverse temperature; of square_exponential the weight of the incorrect answer
  Elimination latents = Elimination::Sum;  // how variables that the batch lacks leave the energy of an answer
  Fuse fuse = Fuse::Auto;
};

/// A loss of the energies that a graph gives to every answer k of a one-hot label. With E_k = E(x, k), y the
/// correct answer, o the most offending incorrect one, argmin of E_k over k != y, the mean over samples of
///   energy              E_y: pulls down and pushes nothing up, so that it collapses or has no minimum where
///                       energies are not bounded; with a SquaredError of the label it is regression
///   perceptron          E_y - min_k E_k
///   hinge               max(0, m + E_y - E_o)
///   multi_class_margin  sum over k != y of max(0, m + E_y - E_k)
///   log                 log(1 + exp(E_y - E_o))
///   lvq2                min(m, max(0, E_y - E_o))
///   mce                 1 / (1 + exp(E_o - E_y)), minimum classification error
///   square_square       E_y^2 + max(0, m - E_o)^2
///   square_exponential  E_y^2 + beta exp(-E_o)
///   nll                 E_y + 1/beta log sum_k exp(-beta E_k): with beta = 1 categorical cross-entropy, the
///                       ConditionalLikelihood of the label
///   mee                 1 - exp(-beta E_y) / sum_k exp(-beta E_k), minimum empirical error
///   squared             1/2 sum_k (E_k + y_k)^2: scores -E_k regress on the one-hot label
///   one_against_all     max(0, m + E_y) + sum over k != y of max(0, m - E_k): a machine -E_k for each answer
///   squared_one_against_all
///                       the same with each term squared: with m = 1, scores linear and a penalty on their
///                       weights, support vector machines
/// All E_k come from one evaluation of the graph where the label does not interact with itself (Score, and
/// any energy linear in it) or where the rule "coupled_label" recognises its latents (coupled_label.h), else
/// from one with K rows a sample; latents are eliminated. Equal offenders
/// share the gradient. Metrics: "loss", "energy_gap", the mean of E_y - E_o, which is negative where answers
/// are right, and "error", the share of samples where it is not. Throws Error "[label_loss] ..." for a label
/// that is no one-hot variable of one position, for options out of range, and where metrics are asked for on
/// a batch whose labels are not one-hot. References: LeCun, Chopra, Hadsell, Ranzato, Huang 2006, "A tutorial
/// on energy-based learning", table 1; multi_class_margin: Weston and Watkins 1999;
/// squared_one_against_all: Fan, Chang, Hsieh, Wang, Lin 2008, "LIBLINEAR", eq. 1.
class LabelLoss final : public Objective {
 public:
  enum class Kind {
    Energy,
    Perceptron,
    Hinge,
    MultiClassMargin,
    Log,
    Lvq2,
    Mce,
    SquareSquare,
    SquareExponential,
    Nll,
    Mee,
    Squared,
    OneAgainstAll,
    SquaredOneAgainstAll
  };

  LabelLoss(Variable label, Kind kind, LabelLossOptions options = {});

  std::string name() const override;
  std::string unit() const override;
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  Rules rules(const FactorGraph& graph) const override;
  Kind kind() const { return kind_; }

 private:
  Variable label_;
  Kind kind_;
  LabelLossOptions options_;
};

/// The names of the kinds, in their order.
const std::vector<std::string>& label_losses();
/// The kind of that name. Throws Error "[label_loss] ..." with the known ones.
LabelLoss::Kind label_loss(std::string_view name);
/// Whether the formula of a kind holds m, and beta.
bool has_margin(LabelLoss::Kind kind);
bool has_beta(LabelLoss::Kind kind);

/// [N, K]: the energy of each answer k of a one-hot label of shape [K], given the rest of the batch, what it
/// lacks eliminated; differentiable. One evaluation of the graph, as LabelLoss has it.
Value label_energies(const FactorGraph& graph, const Variable& label, const State& batch,
                     Elimination latents = Elimination::Sum, Fuse fuse = Fuse::Auto);

}  // namespace basin
