#pragma once

#include <string>
#include <vector>

#include "energy/objectives/objective.h"

namespace basin {

/// Dictionary learning without a learning rate: after each batch, the dictionary D [atoms, features] moves to
/// lower
///   1/2 tr(D' A D) - tr(D' B),   A <- w A + Z'Z / N,   B <- w B + Z'Y / N,   w = (1 - 1/t)^forget,
/// the mean reconstruction error of all codes so far, by one pass of block coordinate descent over atoms
/// of norm 1. Carry: "online.gram" A, "online.cross" B, "online.batches" [1].
/// Reference: Mairal, Bach, Ponce, Sapiro 2010, "Online learning for matrix factorization and sparse coding",
/// algorithms 1-2, sec. 3.4.
struct OnlineDictionary {
  std::string dictionary;  // the weight of a Linear decoder without bias in a SquaredError(y, Linear, z)
  double forget = 20.0;  // 0 = all batches count alike, larger forgets the codes of early dictionaries faster

  /// Takes in the codes of a batch. Throws Error when the dictionary is of another kind.
  void add(const FactorGraph& graph, const Variable& z, const State& inferred, Carry& carry) const;
  void move(const FactorGraph& graph, const Carry& carry) const;
  /// What old codes said of a replaced atom is not true of the new one.
  static void forget_atom(Index atom, const Carry& carry);
};

}  // namespace basin
