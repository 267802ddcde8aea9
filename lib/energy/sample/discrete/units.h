#pragma once

#include <initializer_list>
#include <vector>

#include "energy/transition.h"

/// The units of several variables side by side, [N, numbers of all]: what samplers of bits and codes choose
/// among.
namespace basin {

/// Throws Error "[who] ..." unless there is a variable, none is named twice, and all are of these domains.
/// `otherwise` says what moves others.
void require_domains(const char* who, const Block& block, std::initializer_list<Domain> domains,
                     const char* otherwise);

/// Numbers of all variables of a block together.
Index size_of(const Block& block);

/// Values of the variables, side by side; and rows of numbers as values of the variables, which must have no
/// free extent.
Value side_by_side(const std::vector<Value>& values);
std::vector<Value> parted(const Block& block, const Value& rows);

}  // namespace basin
