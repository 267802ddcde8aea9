#pragma once

#include "data/catalog.h"

namespace basin {

/// How many samples of a generated set are made: those asked for, or the set's own numbers.
struct Counts {
  Index train, test;

  /// Throws Error unless there is room for samples of `bytes` each, and `passing` while they are made.
  Counts(const CatalogEntry& entry, const DatasetOptions& options, Index all_train, Index all_test,
         std::uint64_t bytes, std::uint64_t passing = 0);
};

}  // namespace basin
