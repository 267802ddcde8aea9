#pragma once

#include <cstddef>
#include <string>

#include "data/column.h"

namespace basin {

/// The rows of a file (results/hdf5/rows_file.h) as a column of reals: up to `large` bytes of them are read
/// at once, more stay in the file and are read block by block. Throws Error when the file is none.
Column rows_column(const std::string& name, const std::string& path, std::size_t large);

/// The same of rows [count, ...] in memory: more than `large` bytes lie in blocks as in a file, so that
/// orders that go by blocks are the same, wherever the rows are.
Column rows_column(const std::string& name, const Tensor& rows, std::size_t large);

}  // namespace basin
