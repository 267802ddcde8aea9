#pragma once

#include <initializer_list>
#include <vector>

#include "energy/side_by_side.h"
#include "energy/transition.h"

/// The units that samplers of bits and codes choose among, side by side.
namespace basin {

/// Throws Error "[who] ..." unless there is a variable, none is named twice, and all are of these domains.
/// `otherwise` says what moves others.
void require_domains(const char* who, const Block& block, std::initializer_list<Domain> domains,
                     const char* otherwise);

}  // namespace basin
