#include "data/column.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <list>
#include <mutex>
#include <utility>

#include "tensor/error.h"

namespace basin {
namespace {

constexpr std::size_t kCacheBytes = std::size_t{256} << 20;

std::size_t number_bytes(ColumnKind kind, Dtype dtype) {
  return kind == ColumnKind::Bytes      ? 1
         : kind == ColumnKind::Integers ? sizeof(std::int32_t)
                                        : byte_size(dtype);
}

/// Rows that `values` numbers fill.
Index whole_rows(const std::string& name, const Shape& shape, std::size_t values) {
  const Index size = element_count(shape), count = static_cast<Index>(values);
  if (size == 0 || count % size != 0) {
    throw Error(fmt::format("[column] {}: expected whole samples of shape {}, received {} numbers", name,
                            to_string(shape), values));
  }
  return count / size;
}

/// Blocks of rows, those used last kept.
class BlockCache {
 public:
  BlockCache(std::shared_ptr<const RowReader> reader, Index count, std::size_t row_bytes)
      : reader_(std::move(reader)),
        count_(count),
        block_(std::clamp<Index>(reader_->block(), 1, std::max<Index>(1, count))),
        row_bytes_(row_bytes),
        most_(std::max<std::size_t>(
            2, kCacheBytes / std::max<std::size_t>(1, row_bytes * static_cast<std::size_t>(block_)))) {}

  Index block() const { return block_; }
  Index most() const { return static_cast<Index>(most_); }

  /// Calls use(position, address) for each row, block after block.
  template <class Use>
  void each(std::span<const Index> rows, Use use) {
    const std::lock_guard lock(mutex_);
    order_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) order_[i] = i;
    std::ranges::stable_sort(order_, {}, [&](std::size_t i) { return rows[i] / block_; });
    for (const std::size_t i : order_) {
      const std::vector<std::byte>& block = get(rows[i] / block_);
      use(i, block.data() + static_cast<std::size_t>(rows[i] % block_) * row_bytes_);
    }
  }

 private:
  struct Block {
    Index number;
    std::vector<std::byte> rows;
  };

  const std::vector<std::byte>& get(Index number) {
    const auto found = std::ranges::find(blocks_, number, &Block::number);
    if (found != blocks_.end()) {
      blocks_.splice(blocks_.begin(), blocks_, found);
      return blocks_.front().rows;
    }
    while (blocks_.size() >= most_) blocks_.pop_back();
    const Index begin = number * block_, end = std::min(begin + block_, count_);
    Block block{number, std::vector<std::byte>(static_cast<std::size_t>(end - begin) * row_bytes_)};
    reader_->read(begin, end, block.rows.data());
    blocks_.push_front(std::move(block));
    return blocks_.front().rows;
  }

  std::shared_ptr<const RowReader> reader_;
  Index count_, block_;
  std::size_t row_bytes_, most_;
  std::mutex mutex_;
  std::vector<std::size_t> order_;
  std::list<Block> blocks_;  // used last first
};

}  // namespace

struct Column::Storage {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> integers;
  std::shared_ptr<BlockCache> cache;  // rows behind a reader
  std::vector<Index> rows;            // of the reader, in the column's order; empty: as they lie there
};

std::size_t Column::row_bytes() const {
  return static_cast<std::size_t>(sample_size()) * number_bytes(kind_, dtype_);
}

bool Column::in_memory() const { return storage_ == nullptr || storage_->cache == nullptr; }

Index Column::block() const { return in_memory() ? 1 : storage_->cache->block(); }

Index Column::blocks_kept() const {
  return in_memory() ? std::numeric_limits<Index>::max() : storage_->cache->most();
}

void Column::expect(ColumnKind kind) const {
  constexpr const char* kNames[] = {"bytes", "real numbers", "integers"};
  if (kind_ != kind) {
    throw Error(fmt::format("[column] expected {} of {}, received {}", name_, kNames[static_cast<int>(kind)],
                            kNames[static_cast<int>(kind_)]));
  }
  if (!in_memory()) {
    throw Error(
        fmt::format("[column] expected {} in memory, received one that is read from its file batch "
                    "by batch; take it by a Source",
                    name_));
  }
}

std::span<const std::uint8_t> Column::bytes() const {
  expect(ColumnKind::Bytes);
  return std::span(storage_->bytes).first(static_cast<std::size_t>(count_ * sample_size()));
}

const Tensor& Column::reals() const {
  expect(ColumnKind::Reals);
  return reals_;
}

std::span<const std::int32_t> Column::integers() const {
  expect(ColumnKind::Integers);
  return std::span(storage_->integers).first(static_cast<std::size_t>(count_ * sample_size()));
}

const void* Column::data() const {
  if (!in_memory()) return nullptr;
  return kind_ == ColumnKind::Bytes   ? static_cast<const void*>(storage_->bytes.data())
         : kind_ == ColumnKind::Reals ? reals_.data()
                                      : storage_->integers.data();
}

void Column::gather(std::span<const Index> rows, void* out) const {
  auto* to = static_cast<std::byte*>(out);
  const std::size_t size = row_bytes();
  if (in_memory()) {
    const auto* from = static_cast<const std::byte*>(data());
    for (std::size_t i = 0; i < rows.size() && size > 0; ++i)
      std::memcpy(to + i * size, from + static_cast<std::size_t>(rows[i]) * size, size);
    return;
  }
  std::vector<Index> there;
  if (!storage_->rows.empty()) {
    for (const Index row : rows) there.push_back(storage_->rows[static_cast<std::size_t>(row)]);
    rows = there;
  }
  storage_->cache->each(
      rows, [&](std::size_t i, const std::byte* from) { std::memcpy(to + i * size, from, size); });
}

Column Column::named(std::string name) const {
  Column copy = *this;
  copy.name_ = std::move(name);
  return copy;
}

Column Column::head(Index n) const {
  if (n < 0 || n > count_)
    throw Error(fmt::format("[samples] expected to take 0 to {} samples, received {}", count_, n));
  Column first = *this;
  first.count_ = n;
  if (reals_.defined()) first.reals_ = reals_.rows(0, n);
  return first;
}

Column Column::picked(std::span<const Index> rows) const {
  for (const Index row : rows) {
    if (row < 0 || row >= count_)
      throw Error(fmt::format("[samples] expected rows 0 to {}, received {}", count_ - 1, row));
  }
  Column some = *this;
  some.count_ = static_cast<Index>(rows.size());
  auto storage = std::make_shared<Storage>();
  if (!in_memory()) {
    storage->cache = storage_->cache;
    for (const Index row : rows)
      storage->rows.push_back(storage_->rows.empty() ? row : storage_->rows[static_cast<std::size_t>(row)]);
    some.storage_ = std::move(storage);
    return some;
  }
  const auto numbers = static_cast<std::size_t>(some.count_ * sample_size());
  if (kind_ == ColumnKind::Reals) {
    Shape all = shape_;
    all.insert(all.begin(), some.count_);
    some.reals_ = Tensor(std::move(all), reals_.placement());
    gather(rows, some.reals_.data());
  } else if (kind_ == ColumnKind::Bytes) {
    storage->bytes.resize(numbers);
    gather(rows, storage->bytes.data());
  } else {
    storage->integers.resize(numbers);
    gather(rows, storage->integers.data());
  }
  some.storage_ = std::move(storage);
  return some;
}

Column byte_column(std::string name, Shape shape, std::vector<std::uint8_t> values) {
  Column column(std::move(name), ColumnKind::Bytes, std::move(shape));
  column.count_ = whole_rows(column.name_, column.shape_, values.size());
  auto storage = std::make_shared<Column::Storage>();
  storage->bytes = std::move(values);
  column.storage_ = std::move(storage);
  return column;
}

Column real_column(std::string name, const Tensor& values) {
  if (!values.defined() || values.rank() < 1)
    throw Error(fmt::format("[column] {}: expected values [N, ...], received {}", name,
                            values.defined() ? to_string(values.shape()) : "none"));
  Column column(std::move(name), ColumnKind::Reals, Shape(values.shape().begin() + 1, values.shape().end()));
  column.count_ = values.dim(0);
  column.dtype_ = values.dtype();
  column.reals_ = values.to(Device::Cpu);
  return column;
}

Column integer_column(std::string name, Shape shape, std::vector<std::int32_t> values, Index classes) {
  Column column(std::move(name), ColumnKind::Integers, std::move(shape));
  column.count_ = whole_rows(column.name_, column.shape_, values.size());
  column.classes_ = classes;
  for (std::size_t i = 0; i < values.size() && classes > 0; ++i) {
    if (values[i] < 0 || values[i] >= classes) {
      throw Error(fmt::format("[column] {}: expected classes 0 to {}, received {} in sample {}", column.name_,
                              classes - 1, values[i], static_cast<Index>(i) / column.sample_size()));
    }
  }
  auto storage = std::make_shared<Column::Storage>();
  storage->integers = std::move(values);
  column.storage_ = std::move(storage);
  return column;
}

Column stored_column(const Column& like, Index count, std::shared_ptr<const RowReader> rows) {
  Column column(like.name_, like.kind_, like.shape_);
  column.dtype_ = like.dtype_;
  column.classes_ = like.classes_;
  column.count_ = count;
  auto storage = std::make_shared<Column::Storage>();
  storage->cache = std::make_shared<BlockCache>(std::move(rows), count, column.row_bytes());
  column.storage_ = std::move(storage);
  return column;
}

}  // namespace basin
