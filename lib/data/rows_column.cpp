#include "data/rows_column.h"

#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "results/hdf5/rows_file.h"

namespace basin {
namespace {

class Rows final : public RowReader {
 public:
  using Read = std::function<void(Index begin, Index end, void* out)>;
  Rows(Index block, Read read) : block_(block), read_(std::move(read)) {}
  Index block() const override { return block_; }
  void read(Index begin, Index end, void* out) const override { read_(begin, end, out); }

 private:
  Index block_;
  Read read_;
};

Tensor rows_of(Index count, Shape row, Dtype dtype) {
  row.insert(row.begin(), count);
  return Tensor(row, {dtype, Device::Cpu});
}

std::size_t row_bytes(const Shape& row, Dtype dtype) {
  return static_cast<std::size_t>(element_count(row)) * byte_size(dtype);
}

Column in_blocks(const std::string& name, Index count, const Shape& row, Dtype dtype, Rows::Read read) {
  return stored_column(real_column(name, rows_of(1, row, dtype)), count,
                       std::make_shared<const Rows>(rows_in_chunk(row, dtype), std::move(read)));
}

}  // namespace

Column rows_column(const std::string& name, const std::string& path, std::size_t large) {
  const RowsFile file(path);
  const Shape& row = file.row();
  if (row_bytes(row, file.dtype()) * static_cast<std::size_t>(file.count()) > large) {
    return in_blocks(name, file.count(), row, file.dtype(),
                     [file](Index begin, Index end, void* out) { file.read(begin, end, out); });
  }
  const Tensor all = rows_of(file.count(), row, file.dtype());
  file.read(0, file.count(), all.data());
  return real_column(name, all);
}

Column rows_column(const std::string& name, const Tensor& rows, std::size_t large) {
  const Shape row(rows.shape().begin() + 1, rows.shape().end());
  const std::size_t bytes = row_bytes(row, rows.dtype());
  if (bytes * static_cast<std::size_t>(rows.dim(0)) <= large) return real_column(name, rows);
  return in_blocks(name, rows.dim(0), row, rows.dtype(), [rows, bytes](Index begin, Index end, void* out) {
    std::memcpy(out, rows.rows(begin, end).data(), bytes * static_cast<std::size_t>(end - begin));
  });
}

}  // namespace basin
