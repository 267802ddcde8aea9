#pragma once

#include <memory>
#include <vector>

#include "energy/graph.h"

namespace basin {

/// Units (numbers of real and bit variables, one-hot groups) in colours: units of one colour do not interact,
/// given all others.
struct UnitColours {
  Index count = 0;                   // of colours
  std::vector<std::vector<int>> of;  // of every number of each variable, 0 .. count - 1; of a group the same
  bool lasting = true;  // false: two units of a colour would interact after a change of a parameter, or at
                        // values of other variables that were not looked at
};

/// Limit of numbers whose couplings are looked for: their square is what that costs.
inline constexpr Index kMostUnits = 4096;

/// Colours of the units of a block of binary and categorical variables without a free extent, by the
/// interactions d2E/dx_i dx_j of an energy that is affine in each unit with all others held: a polynomial,
/// which is 0 at a random point only where it is 0 everywhere. It is looked at at random means of the units,
/// with other variables at random values and, where `data` has them, at those of its first rows; then each
/// unit, that with the most colours around it first, takes the first colour that no neighbour has (two
/// colours where two are enough). The graph remembers them (ProbeMemory) until `anew`. Throws Error "[who]
/// ..." where there are more than kMostUnits numbers. Reference: Brelaz 1979, "New methods to color the
/// vertices of a graph".
std::shared_ptr<const UnitColours> unit_colours(const FactorGraph& graph, const Block& block,
                                                const State& data, const char* who, bool anew = false);

}  // namespace basin
