#pragma once

#include <string>
#include <vector>

namespace basin::program {

/// Files as they are named; of a folder all .h5 in it, sorted. Throws Error, in the name of `who`, for a
/// folder without.
std::vector<std::string> result_files(const std::string& who, const std::vector<std::string>& names);

}  // namespace basin::program
