#pragma once

#include <cstdint>
#include <string>

#include "data/readers/npy.h"

namespace basin {

/// A dataset of an HDF5 file as a column, one sample a row: u8, i32, i64 (of any byte order), f32 or f64.
///
/// Bytes and reals of more than `memory` bytes stay in the file, which is then read block by block: as many
/// rows as a chunk of the file has, and at least 1 MiB. What the file declares is checked against what it
/// stores, and against `limit`, before memory is taken. Throws Error naming the file, the dataset and what to
/// do.
Column read_hdf5(const std::string& path, const std::string& dataset, const ColumnWish& wish,
                 std::uint64_t memory, const ImportLimit& limit = ImportLimit());

}  // namespace basin
