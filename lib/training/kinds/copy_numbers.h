#pragma once

#include <cstddef>
#include <vector>

#include "training/stage.h"

namespace basin {

/// Every number of `from` in its place in `to`, which is the same stage again (StageContext::twins).
inline void copy_numbers(const Stage& from, const Stage& to) {
  const std::vector<Parameter> source = stored_parameters(from), target = stored_parameters(to);
  for (std::size_t i = 0; i < source.size(); ++i) target.at(i).tensor().copy_from(source[i].tensor());
}

}  // namespace basin
