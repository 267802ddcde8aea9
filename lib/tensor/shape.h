#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace basin {

using Index = std::int64_t;

/// Extents of a tensor, slowest first: {N, features}, {N, C, H, W}. {} is a scalar.
using Shape = std::vector<Index>;

/// Product of the extents (1 for a scalar). Throws Error on a negative extent or on overflow.
Index element_count(const Shape& shape);

/// "[100, 784]", for messages.
std::string to_string(const Shape& shape);

}  // namespace basin
