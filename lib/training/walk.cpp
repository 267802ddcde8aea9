#include "training/walk.h"

#include <algorithm>
#include <numeric>

#include "tensor/random.h"

namespace basin {

State samples_between(const Source& source, Index begin, Index end, Key key) {
  std::vector<Index> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return source.batch(rows, key);
}

State drawn_samples(const Source& source, Index most, Key key) {
  std::vector<Index> rows = permutation(key, source.count());
  rows.resize(static_cast<std::size_t>(std::min(most, source.count())));
  return source.batch(rows, key);
}

Index walk_through(const Source& source, Index most, Key key,
                   const std::function<void(const State& samples, Index first)>& visit) {
  const Index count = std::min(source.count(), most);
  for (Index first = 0; first < count; first += kChunk)
    visit(samples_between(source, first, std::min(first + kChunk, count), key), first);
  return count;
}

}  // namespace basin
