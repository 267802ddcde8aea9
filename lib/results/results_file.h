#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/hdf5/store.h"

namespace basin {

/// Version of the layout in LAYOUT.md.
inline constexpr std::int64_t kFormatVersion = 2;

/// The stage of an experiment without [[stages]].
inline constexpr const char* kOnlyStage = "main";

/// Reads a results file. One of version 1, which held one stage at the root, is given today's layout and
/// keys in memory; its version stays 1, so that nobody writes to it. Throws Error when the file is none, or
/// of a version that this program does not know.
Store load_results(const std::string& path);

/// The `format_version` of loaded results.
std::int64_t format_version(const Store& results);

/// Names of the stages, in their order.
std::vector<std::string> stage_names(const Store& results);

/// The group of a stage: "/stages/first".
std::string stage_group(const std::string& stage);

}  // namespace basin
