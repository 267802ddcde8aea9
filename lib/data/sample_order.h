#pragma once

#include <vector>

#include "tensor/key.h"
#include "tensor/shape.h"

namespace basin {

/// In which order an epoch sees the samples. All but Streams leave out what remains after the last whole
/// batch.
enum class SampleOrder {
  Auto,      // Blocks where a column is read from a file, else Shuffled
  Shuffled,  // permutation(key, count)
  Blocks,    // blocks of neighbours in random order; up to eight at a time are shuffled within
  Streams,  // row n of every batch goes on where row n of the batch before ended: the samples are cut into as
            // many streams of equal length as a batch has rows
  Given     // as they lie there
};

/// What an order goes by.
struct OrderSizes {
  Index batch = 1;                // samples
  Index block = 1, together = 8;  // rows of a block; blocks that are shuffled as one
};

/// The numbers of `count` samples in the order in which an epoch of batches sees them, batch after batch,
/// drawn under `key`: all of them, of Streams as many as there are in whole batches.
std::vector<Index> sample_order(SampleOrder order, Key key, Index count, const OrderSizes& sizes);

}  // namespace basin
