#include "energy/variable.h"

#include <algorithm>

namespace basin {

std::string to_string(Domain domain) {
  switch (domain) {
    case Domain::Real:
      return "real";
    case Domain::NonNegative:
      return "non_negative";
    case Domain::Binary:
      return "binary";
    case Domain::Categorical:
      return "categorical";
  }
  return "unknown";
}

bool contains(const Block& block, const Variable& variable) {
  return std::find(block.begin(), block.end(), variable) != block.end();
}

Shape batched(const Variable& variable, Index samples) {
  Shape shape = variable.shape;
  shape.insert(shape.begin(), samples);
  return shape;
}

}  // namespace basin
