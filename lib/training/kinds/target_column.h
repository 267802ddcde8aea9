#pragma once

#include <functional>
#include <string>

#include "data/dataset.h"

namespace basin {

/// The column that a label, a value or next symbols are read from: the first that fits, not the one that
/// holds the samples. Throws Error in the name of the kind where there is none; `what`: the one that is
/// wanted.
const Column& target_column(const std::string& kind, const Samples& samples,
                            const std::function<bool(const Column&)>& fits, const std::string& what);

}  // namespace basin
