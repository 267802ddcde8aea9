#pragma once

#include <string>
#include <vector>

#include "results/hdf5/store.h"

namespace basin {

/// One line for each dataset that one results file has and the other lacks, or that differs in type, shape or
/// any bit. Leaves out the groups named by `ignored` ("/time": wall times may differ between equal runs).
std::vector<std::string> differences(const Store& a, const Store& b,
                                     const std::vector<std::string>& ignored = {"/time"});

}  // namespace basin
