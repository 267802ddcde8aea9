#pragma once

#include <string>
#include <vector>

namespace basin::benchmarks {

/// The table of all cases in Markdown from lines of JSON as gpu.sh writes them, medians over rounds. What no
/// line tells is "not measured".
std::string report(const std::vector<std::string>& files);

}  // namespace basin::benchmarks
