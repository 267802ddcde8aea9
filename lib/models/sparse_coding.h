#pragma once

#include <memory>

#include "energy/graph.h"
#include "modules/linear.h"

namespace basin {

struct SparseCodingOptions {
  Shape sample_shape = {};    // of one y
  Index atoms = 0;            // atoms of the dictionary
  double lambda = 0.1;        // penalty weight of a code's absolute value
  bool non_negative = false;  // codes >= 0
  Placement placement = {};
  Key key;  // no default: atoms are not drawn without one
};

struct SparseCoding {
  FactorGraph graph;
  Variable y, z;
  std::shared_ptr<const Linear> decoder;
};

/// Sparse coding: E(y, z) = 1/2 |y - D z|^2 + lambda |z|_1, y the data, z [atoms] their code.
///
/// Variables "y" and "z"; parameter "z.y.weight" [atoms, y.size()], whose rows are the dictionary's atoms:
/// normal numbers under key.fold("z.y.weight"), scaled to norm 1; training keeps them there
/// (LatentMinimumOptions::unit_norm). Throws Error when a size is missing. Reference: Olshausen, Field 1996.
SparseCoding sparse_coding(const SparseCodingOptions& options);

}  // namespace basin
