#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct SegmentsOptions {
  /// Steps of the source from one cut to the next: a sequence as long as the context says has
  /// ceil(length / stride) stretches between cuts; all T where no lengths are known.
  Index stride = 1;
};

/// E(y, z, x) = -sum_n s(x)[e_n, d_n, y_n]: a sequence x is cut into segments, the n-th of which ends at cut
/// e_n, is d_n stretches long and bears the label y_n (a semi-Markov model; with scores of a network of
/// images the segmentation graph of a reader of strings). A module gives the scores s [N, T, D, K] of all
/// segments that end at the cuts 1 .. T and are 1 .. D stretches long.
///   y  categorical [L, K + 1]: the labels of at most L segments, in order; the last category says that
///      there is no segment any more
///   z  binary [T, D]: 1 where there is a segment
/// E is infinite unless the segments of z cover all stretches of the sequence once and are as many as y has
/// labels. Both variables are eliminated together or alone by dynamic programming over cuts and the number
/// of segments before them (segment_lattice.h); `z` latent is summed over or the best cuts are taken. The
/// module's parameters are "<x>.<y>.<name>".
/// Throws Error unless y, z and the module's output fit. References: Sarawagi, Cohen 2004, "Semi-Markov
/// conditional random fields"; LeCun, Bottou, Bengio, Haffner 1998, sections V and VI.
class Segments final : public Factor {
 public:
  Segments(Variable y, Variable z, std::shared_ptr<const Module> scores, Variable x,
           SegmentsOptions options = {});
  template <std::derived_from<Module> M>
  Segments(Variable y, Variable z, M scores, Variable x, SegmentsOptions options = {})
      : Segments(std::move(y), std::move(z), std::make_shared<const M>(std::move(scores)), std::move(x),
                 options) {}

  std::string name() const override { return "Segments(" + y_.name + ", " + z_.name + ", " + x_.name + ")"; }
  std::vector<Variable> scope() const override { return {y_, z_, x_}; }
  Value energy(const State& state) const override;
  std::vector<Parameter> parameters() const override;
  /// Joint in y and z.
  Order order_in(const Variable& variable) const override {
    return variable == y_ || variable == z_ ? Order::Joint : Order::Any;
  }
  Block sequences() const override { return {x_}; }
  /// Throws Error, naming the first such row, where the labels or cuts that `rest` holds have no
  /// segmentation.
  std::shared_ptr<const Structure> structure(const Block& latents, const State& rest,
                                             double weight) const override;

 private:
  /// [N, T, D, K].
  Value scores(const State& rest) const;
  /// How many stretches each row has.
  std::vector<Index> stretches(const Context& context, Index rows) const;

  Variable y_, z_, x_;
  std::shared_ptr<const Module> module_;
  SegmentsOptions options_;
};

}  // namespace basin
