#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace basin {

enum class ColumnKind {
  Bytes,    // 0 .. 255: pixels
  Reals,    // f32 or f64
  Integers  // lengths, counts; with `classes`, categories as indices 0 .. classes - 1
};

/// Rows of a column that are read when asked for, because all of them would not fit into memory.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// Rows that lie together where they are stored, and are read together.
  virtual Index block() const = 0;
  /// Writes rows [begin, end), as a column stores them, to `out`. Throws Error when they cannot be read.
  virtual void read(Index begin, Index end, void* out) const = 0;
};

/// One named thing that is known of each sample: a cheap handle on `count` rows of `shape` that never change.
///
/// Bytes stay bytes and categories stay indices; they become floats and one-hot batch by batch
/// (fill_batch.h). Sequences of different length are padded to one, their lengths a column of integers.
class Column {
 public:
  const std::string& name() const { return name_; }
  ColumnKind kind() const { return kind_; }
  Dtype dtype() const { return dtype_; }         // of reals
  const Shape& shape() const { return shape_; }  // of one sample: {28, 28}
  Index count() const { return count_; }
  Index classes() const { return classes_; }  // of categories; 0: other integers
  Index sample_size() const { return element_count(shape_); }
  std::size_t row_bytes() const;

  /// Whether the rows are in memory, and not behind a RowReader.
  bool in_memory() const;
  /// Rows that are best read together (1 in memory), and how many such blocks are kept once read.
  Index block() const;
  Index blocks_kept() const;

  /// The numbers, row by row. Throw Error for another kind, and for rows that are not in memory.
  std::span<const std::uint8_t> bytes() const;
  const Tensor& reals() const;  // [count, shape...] on the host
  std::span<const std::int32_t> integers() const;

  /// Copies rows as they are stored, one after another: bytes, dtype() or 32-bit integers. Rows behind a
  /// RowReader are read block by block; the blocks read last are kept (256 MiB, or two blocks).
  void gather(std::span<const Index> rows, void* out) const;
  /// Where row 0 is stored; null where rows are not in memory.
  const void* data() const;

  Column named(std::string name) const;
  /// The first n rows, as a view. Throws Error when there are fewer.
  Column head(Index n) const;
  /// Some rows in an order; those of a RowReader stay where they are.
  Column picked(std::span<const Index> rows) const;

 private:
  struct Storage;
  friend Column byte_column(std::string name, Shape shape, std::vector<std::uint8_t> values);
  friend Column real_column(std::string name, const Tensor& values);
  friend Column integer_column(std::string name, Shape shape, std::vector<std::int32_t> values,
                               Index classes);
  friend Column stored_column(const Column& like, Index count, std::shared_ptr<const RowReader> rows);

  Column(std::string name, ColumnKind kind, Shape shape)
      : name_(std::move(name)), kind_(kind), shape_(std::move(shape)) {}
  void expect(ColumnKind kind) const;

  std::string name_;
  ColumnKind kind_;
  Shape shape_;
  Dtype dtype_ = Dtype::F32;
  Index count_ = 0, classes_ = 0;
  Tensor reals_;
  std::shared_ptr<const Storage> storage_;
};

/// All throw Error when the numbers do not fill whole rows; integer_column also for a category that is not
/// in 0 .. classes - 1.
Column byte_column(std::string name, Shape shape, std::vector<std::uint8_t> values);
/// Rows of [count, shape...], copied to the host where they live elsewhere.
Column real_column(std::string name, const Tensor& values);
Column integer_column(std::string name, Shape shape, std::vector<std::int32_t> values, Index classes = 0);
/// `count` rows behind a reader, of the name, kind, shape, dtype and classes of `like`.
Column stored_column(const Column& like, Index count, std::shared_ptr<const RowReader> rows);

}  // namespace basin
