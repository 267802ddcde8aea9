#pragma once

#include <algorithm>
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
  Shape shape;    // of one sample; one extent may be 0, free: equal within a batch (the length of sequences)
  int index = 0;  // position in its graph

  /// Numbers of a sample; 0 when an extent is free.
  Index size() const { return element_count(shape); }
  bool is_free() const { return std::find(shape.begin(), shape.end(), Index{0}) != shape.end(); }
  /// Whether a value of this shape is one sample's: equal extents, any where this variable's is free.
  bool fits(const Shape& sample) const {
    return std::equal(shape.begin(), shape.end(), sample.begin(), sample.end(),
                      [](Index own, Index given) { return own == given || (own == 0 && given > 0); });
  }
  /// The same with its free extent fixed.
  Variable with_extent(Index extent) const {
    Variable fixed = *this;
    std::replace(fixed.shape.begin(), fixed.shape.end(), Index{0}, extent);
    return fixed;
  }
  bool operator==(const Variable& other) const { return index == other.index && name == other.name; }
};

/// Several variables that are asked, moved or summed out together.
using Block = std::vector<Variable>;

bool contains(const Block& block, const Variable& variable);

/// The shape of a batch of its values, [samples, shape...].
Shape batched(const Variable& variable, Index samples);

}  // namespace basin
