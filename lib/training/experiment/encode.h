#pragma once

#include <cstddef>
#include <string>

#include "data/cache.h"
#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// What a stage's encoder makes of a data set: real values in the place of its samples, all other columns as
/// they are; as preprocessing the pictures that codes stand for. The encoder is given means, never drawn
/// bits.
///
/// Each part but the labelled samples, which are others where `name` is the same, goes through the cache file
/// "NAME.<part>.h5", written row by row, when there is a cache. Parts of more than `large` bytes are shuffled
/// in blocks, and are left in their file where there is one, to be read batch by batch: the order of samples
/// is the same with and without a cache. Throws Error where there is no encoder.
Dataset encoded(const Stage& stage, const Dataset& data, Cache& cache, const std::string& name = "",
                std::size_t large = std::size_t{1} << 30);

/// The shape of what a stage's encoder makes of one sample. Throws Error where there is no encoder.
Shape code_shape(const Stage& stage);

}  // namespace basin
