#pragma once

#include "energy/transition.h"

namespace basin {

/// The energy of rows of a state at some values of its real variables, and its gradient in them.
struct Potential {
  Value energy;  // [N], of the factors that read them
  Value slope;   // [N, D]
};

/// Real variables that move together, as one vector a row, [N, D]: their units side by side, in their order.
class RealBlock {
 public:
  /// `who` moves them, in messages. Throws Error when there is none, one is not real, or one comes twice.
  RealBlock(const char* who, Block variables);

  const Block& variables() const { return variables_; }
  const char* who() const { return who_; }

  Value vector(const State& state) const;  // [N, D], without history
  State with(const FactorGraph& graph, const State& state, const Value& vector) const;
  /// Throws Error when the energy does not see the variables at all: there is nothing to sample.
  Potential potential(const FactorGraph& graph, const State& state, const Value& vector) const;
  /// Standard normals [N, D], those of a variable under key.fold(variable.name): row n draws what it does in
  /// the whole batch. 0 for units past the ends of sequences, which stay where they are.
  Value normals(const FactorGraph& graph, const State& state, Key key) const;
  /// Uniforms in [0, 1), one a row, [N].
  static Value uniforms(const State& state, Key key);

 private:
  const char* who_;
  Block variables_;
};

}  // namespace basin
