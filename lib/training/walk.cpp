#include "training/walk.h"

#include <numeric>
#include <vector>

namespace basin {

State samples_between(const Source& source, Index begin, Index end, Key key) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return source.batch(rows, key);
}

}  // namespace basin
