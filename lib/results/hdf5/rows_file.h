#pragma once

#include <memory>
#include <string>

#include "tensor/tensor.h"

namespace basin {

/// Writes rows of numbers, [rows, shape of a row...], front to back into an HDF5 file with one chunked
/// dataset "rows": what need not stand in memory as a whole. The file has its name once it is complete
/// (atomic_file.h); an unfinished writer leaves nothing.
class RowsWriter {
 public:
  /// Throws Error when the file cannot be made.
  RowsWriter(const std::string& path, Shape row, Dtype dtype = Dtype::F32);
  ~RowsWriter();
  RowsWriter(const RowsWriter&) = delete;
  RowsWriter& operator=(const RowsWriter&) = delete;

  /// Rows [n, shape of a row...] from any device. Throws Error when the disk is full.
  void append(const Tensor& rows);
  /// Makes the disk keep the file (fsync) and gives it its name. Throws Error.
  void finish();

 private:
  struct File;
  std::unique_ptr<File> file_;
};

/// Rows of a shape that lie together in such a file, and are read together.
Index rows_in_chunk(const Shape& row, Dtype dtype);

/// Reads such a file by rows. Throws Error when it is none, or where it is read is damaged or holds a number
/// that is not finite.
class RowsFile {
 public:
  explicit RowsFile(const std::string& path);

  Index count() const;
  const Shape& row() const;  // the shape of one
  Dtype dtype() const;
  /// Rows [begin, end), as numbers of the file's dtype.
  void read(Index begin, Index end, void* out) const;

 private:
  struct File;
  std::shared_ptr<File> file_;
};

}  // namespace basin
