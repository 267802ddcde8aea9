#pragma once

#include <string>

#include "data/column.h"
#include "data/import_limit.h"

namespace basin {

/// What becomes of whole numbers of a file: categories where `classes` says how many (-1: the largest of them
/// and one), else bytes stay bytes and 32- and 64-bit integers become integers.
struct ColumnWish {
  std::string name;   // of the column
  Index classes = 0;  // 0: no categories
};

/// The array of a NumPy file, one sample a row: u1, i4, i8, f4 or f8, little-endian, C order, format 1 or 2.
/// The header is checked against the length of the file and against `limit` before memory is taken. Throws
/// Error, naming the file and what to do, for anything else, and for integers beyond 32 bits. Reference:
/// numpy.lib.format.
Column read_npy(const std::string& path, const ColumnWish& wish, const ImportLimit& limit = ImportLimit());

/// The same of an array in an archive of numpy.savez or numpy.savez_compressed (.npz), with its checksum.
Column read_npz(const std::string& path, const std::string& array, const ColumnWish& wish,
                const ImportLimit& limit = ImportLimit());

/// The columns' common last step: numbers as they are stored in a file. Throws Error naming `what` for an
/// integer that does not fit.
Column column_of_bytes(const std::string& what, const ColumnWish& wish, Shape sample,
                       std::vector<std::uint8_t> values);
Column column_of_integers(const std::string& what, const ColumnWish& wish, Shape sample,
                          const std::vector<std::int64_t>& values);

}  // namespace basin
