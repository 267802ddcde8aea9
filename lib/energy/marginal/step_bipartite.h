#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "energy/factors/sequences/step_bilinear.h"
#include "energy/factors/sequences/step_score.h"
#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// The pattern of the rewrite rule "step_bipartite": binary sequences v and h, and a third variable x, with
///   E = -sum_t [ v_t' W h_t + (v_t, h_t).f(x)_t ],
/// one StepBilinear and one StepScore of both, of weight 1. Given x every step of every sequence is an RBM
/// with the weights of all and biases of its own.
struct StepBipartite {
  std::array<Variable, 2> sides;  // 0: rows of W, 1: columns of W
  std::shared_ptr<const StepBilinear> pair;
  std::shared_ptr<const StepScore> biases;
  std::size_t biases_term = 0;  // of the graph

  /// 0 or 1; -1 when the variable is neither.
  int side(const Variable& variable) const;
};

/// Recognises by factor types and domains; nothing when any other factor, weight or variable is there.
std::optional<StepBipartite> recognise_step_bipartite(const FactorGraph& graph);

/// The RBMs of all steps of a batch, a row each, sequence after sequence; steps past the ends are left out.
/// f is evaluated once.
class StepMachines {
 public:
  /// `batch` holds x. Throws Error for lengths that do not fit.
  StepMachines(const FactorGraph& graph, const StepBipartite& pattern, const State& batch);

  Index rows() const { return biases_[0].dim(0); }
  Index units(int side) const { return biases_[static_cast<std::size_t>(side)].dim(1); }
  /// Steps of each sequence.
  const std::vector<Index>& lengths() const { return lengths_; }
  const Value& weight() const { return weight_; }
  /// [rows, units], with history.
  const Value& bias(int side) const { return biases_[static_cast<std::size_t>(side)]; }

  /// Numbers of sequences [N, T, units], as rows.
  Value rows_of(const Value& x) const;
  /// bias + x W of one side (x W' of the other) given rows of the other side, with history.
  Value input(int side, const Value& other) const;
  /// F of rows x of one side, the other summed out, [rows]:  -bias.x - sum_j softplus(input_j).
  Value free_energy(int side, const Value& x) const;
  /// Draws of one side given rows of the other, those of a conditional() of whole sequences under `key`.
  void draw(int side, const Tensor& other, Key key, const Tensor& drawn) const;

 private:
  std::array<std::string, 2> names_;
  Index steps_, first_sequence_;  // of the batch, padding counted; the number of its first sequence
  std::vector<Index> lengths_;
  Tensor places_;  // of rows among all N T steps; undefined: all of them
  Value weight_;
  std::array<Value, 2> biases_;
};

/// y = alpha x W + beta y, or with W' from the columns' side: x [rows, units of `from`].
void multiply_by_weight(const Tensor& weight, int from, double alpha, const Tensor& x, double beta,
                        const Tensor& y);

/// Bits of [rows, units] with the probabilities sigmoid(scale * input), which they may overwrite; draw (n, j)
/// is draw first + n units + j of `key`.
void draw_bits(const Tensor& input, Key key, std::uint64_t first, const Tensor& drawn, double scale = 1.0);

}  // namespace basin
