#pragma once

#include "tensor/dtype.h"
#include "tensor/guard/guarded_memory.h"
#include "tensor/shape.h"

namespace basin {

inline std::size_t bytes_of(Dtype dtype, Index n) { return static_cast<std::size_t>(n) * byte_size(dtype); }

/// n neighbours that a kernel reads.
inline Access reads(Dtype dtype, const void* x, Index n) { return {x, bytes_of(dtype, n), false}; }

/// n neighbours that a kernel writes, or reads and writes.
inline Access writes(Dtype dtype, const void* y, Index n) { return {y, bytes_of(dtype, n), true}; }

/// An operand that may be left out.
inline Access optional(Access access) { return access.address == nullptr ? Access{} : access; }

}  // namespace basin
