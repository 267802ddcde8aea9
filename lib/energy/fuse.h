#pragma once

#include <string>
#include <vector>

namespace basin {

/// Whether recognised patterns of factors may be computed by hand-written kernels. Both ways give the same
/// numbers (up to rounding) from the same key.
enum class Fuse {
  Auto,  // where a rewrite rule recognises the graph
  Off    // always as derived from the energy
};

/// The names of the rewrite rules that did some work ("bipartite", "lasso"); none: as derived from the
/// energy.
using Rules = std::vector<std::string>;

}  // namespace basin
