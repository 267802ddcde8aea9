#pragma once

#include <string>
#include <vector>

#include "data/class_names.h"
#include "data/column.h"
#include "data/import_limit.h"

namespace basin {

/// A column of samples, and the cells of a line that make it.
struct CsvColumn {
  std::string name;
  /// A name of the first line; a number, from 1; "2-785", both ends included; several of these with commas
  /// between; or "*": every cell that no other column takes. One cell alone gives samples of shape {}.
  std::string place;
  /// Reals (f64), bytes (whole numbers 0 to 255) or 32-bit integers.
  ColumnKind kind = ColumnKind::Reals;
  /// Not 0: categories, so many or as many as there are (-1): whole numbers 0, 1, ..., or words, which are
  /// numbered in the order of the alphabet.
  Index classes = 0;
};

struct CsvOptions {
  char separator = ',';
  bool header = true;  // the first line names the columns
};

/// Reads a table of text, a sample a line: cells may stand in quotes ("", a quote inside doubled), lines end
/// by LF or CRLF, a byte order mark is left out.
///
/// The file is counted before memory is taken. Throws Error naming the file, the line and the column for a
/// cell that is not what its column expects (empty, no number, not finite), for a line that is longer or
/// shorter than the first, quotes that do not close, a first line of numbers that was to be a header, and a
/// column that is not there. Reference: RFC 4180.
std::vector<Column> read_csv(const std::string& path, const std::vector<CsvColumn>& columns,
                             const CsvOptions& options, ClassNames& names,
                             const ImportLimit& limit = ImportLimit());

}  // namespace basin
