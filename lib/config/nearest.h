#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace basin {

/// Fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, case ignored.
///
/// Reference: Damerau 1964, "A technique for computer detection and correction of spelling errors" (the
/// variant that edits no substring twice, also called optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known name nearest to `name`, the first of equals; "" when none is near: more edits than a third of
/// the longer name, and more than one.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

/// "did you mean 'x'?" when a known name is near, else "known: a, b, c"; for the end of an error message.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace basin
