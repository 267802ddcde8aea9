#include "data/sample_order.h"

#include <algorithm>
#include <numeric>

#include "tensor/random.h"

namespace basin {
namespace {

/// Blocks of `block` neighbours in random order, some `together` shuffled within: batches touch few blocks.
std::vector<Index> shuffled_blocks(Key key, Index count, Index block, Index together) {
  const auto window_blocks = static_cast<std::size_t>(together);
  std::vector<Index> order;
  order.reserve(static_cast<std::size_t>(count));
  const std::vector<Index> blocks = permutation(key.fold("blocks"), (count + block - 1) / block);
  for (std::size_t first = 0; first < blocks.size(); first += window_blocks) {
    std::vector<Index> window;
    for (std::size_t b = first; b < std::min(first + window_blocks, blocks.size()); ++b) {
      for (Index row = blocks[b] * block; row < std::min(count, (blocks[b] + 1) * block); ++row)
        window.push_back(row);
    }
    const Key within = key.fold("within").fold(static_cast<std::uint64_t>(first));
    for (const Index at : permutation(within, static_cast<Index>(window.size())))
      order.push_back(window[static_cast<std::size_t>(at)]);
  }
  return order;
}

/// Row n of every batch takes the samples of the n-th of `batch` equal parts.
std::vector<Index> streams(Index count, Index batch) {
  std::vector<Index> order;
  const Index steps = count / std::max<Index>(1, batch);
  for (Index step = 0; step < steps; ++step) {
    for (Index n = 0; n < batch; ++n) order.push_back(n * steps + step);
  }
  return order;
}

}  // namespace

std::vector<Index> sample_order(SampleOrder order, Key key, Index count, const OrderSizes& sizes) {
  if (order == SampleOrder::Blocks)
    return shuffled_blocks(key, count, std::max<Index>(1, sizes.block), sizes.together);
  if (order == SampleOrder::Streams) return streams(count, sizes.batch);
  if (order != SampleOrder::Given) return permutation(key, count);
  std::vector<Index> given(static_cast<std::size_t>(count));
  std::iota(given.begin(), given.end(), Index{0});
  return given;
}

}  // namespace basin
