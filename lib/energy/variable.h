#pragma once

#include <string>
#include <vector>

#include "tensor/shape.h"

namespace basin {

/// The set a variable's members live in.
enum class Domain {
  Real,         // R
  NonNegative,  // [0, inf)
  Binary,       // {0, 1}
  Categorical   // one-hot along the last axis
};

std::string to_string(Domain domain);

/// A named variable of a factor graph, made by FactorGraph. Whether it is observed, output or latent is said
/// per call. Values of it have shape [N, shape...].
struct Variable {
  std::string name;
  Domain domain = Domain::Real;
  Shape shape;    // of one sample
  int index = 0;  // position in its graph

  Index size() const { return element_count(shape); }
  bool operator==(const Variable& other) const { return index == other.index && name == other.name; }
};

/// Several variables that are asked, moved or summed out together.
using Block = std::vector<Variable>;

bool contains(const Block& block, const Variable& variable);

/// The shape of a batch of its values, [samples, shape...].
Shape batched(const Variable& variable, Index samples);

}  // namespace basin
