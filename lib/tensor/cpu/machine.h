#pragma once

#include <cstddef>

namespace basin {

/// Bytes of physical memory. Linux promises more than there is and kills whoever uses it, so larger requests
/// are refused first.
std::size_t machine_bytes();

}  // namespace basin
