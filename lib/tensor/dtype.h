#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace basin {

/// Element type of a tensor: f32 is the default, f64 serves the oracles.
enum class Dtype { F32, F64 };

/// Bytes of one element: 4 or 8.
std::size_t byte_size(Dtype dtype);

/// "f32" or "f64".
std::string to_string(Dtype dtype);

/// Inverse of to_string. Throws Error on any other name.
Dtype parse_dtype(std::string_view name);

}  // namespace basin
