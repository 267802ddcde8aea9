#pragma once

namespace basin {

/// Whether recognised patterns of factors may be computed by hand-written kernels. Both ways give the same
/// numbers (up to rounding) from the same key.
enum class Fuse {
  Auto,  // where a rewrite rule recognises the graph
  Off    // always as derived from the energy
};

}  // namespace basin
