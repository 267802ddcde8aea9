#include "data/readers/hdf5_rows.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "data/readers/hdf5_stored.h"
#include "tensor/error.h"

namespace basin {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& why) {
  throw Error(fmt::format("[data] {}: {}", what, why));
}

/// How the numbers are stored.
enum class Stored { Bytes, Integers, F32, F64 };

Hdf5Id memory_type(Stored stored) {
  return stored == Stored::Bytes      ? H5T_NATIVE_UINT8
         : stored == Stored::Integers ? H5T_NATIVE_INT64
         : stored == Stored::F32      ? H5T_NATIVE_FLOAT
                                      : H5T_NATIVE_DOUBLE;
}

std::size_t number_bytes(Stored stored) {
  return stored == Stored::Bytes ? 1 : stored == Stored::F32 ? 4 : 8;
}

Stored stored_as(Hdf5Id dataset, const std::string& what) {
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, what);
  const std::size_t size = H5Tget_size(type);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_INTEGER && size == 1 && H5Tget_sign(type) == H5T_SGN_NONE) return Stored::Bytes;
  if (kind == H5T_INTEGER && (size == 4 || size == 8) && H5Tget_sign(type) != H5T_SGN_NONE)
    return Stored::Integers;
  if (kind == H5T_FLOAT && size == 4) return Stored::F32;
  if (kind == H5T_FLOAT && size == 8) return Stored::F64;
  fail(what, "expected u8, i32, i64, f32 or f64 numbers, received another type; convert it");
}

/// Opens file and dataset anew for every read, so that nothing is held between batches.
class Hdf5Rows final : public RowReader {
 public:
  Hdf5Rows(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {
    what_ = fmt::format("{}, dataset {}", path_, name_);
    std::error_code error;
    if (!std::filesystem::is_regular_file(path_, error))
      fail(path_, "expected an HDF5 file, found none; check the path");
    const Hdf5Session session;
    const Hdf5Handle file = open_file();
    if (H5Lexists(file, name_.c_str(), H5P_DEFAULT) <= 0)
      fail(path_, fmt::format("it has no dataset {}", name_));
    const Hdf5Handle dataset = open_dataset(file);
    shape_ = hdf5_shape(dataset, what_);
    if (shape_.empty() || element_count(Shape(shape_.begin() + 1, shape_.end())) == 0)
      fail(what_, fmt::format("expected numbers [N, ...], one sample a row, received {}", to_string(shape_)));
    stored_ = stored_as(dataset, what_);
    chunk_bytes_ = hdf5_expect_stored(dataset, shape_, std::filesystem::file_size(path_), what_);
    const Hdf5Handle options(H5Dget_create_plist(dataset), H5Pclose, what_);
    if (H5Pget_layout(options) == H5D_CHUNKED) {
      std::vector<hsize_t> chunk(shape_.size());
      hdf5_check(H5Pget_chunk(options, static_cast<int>(chunk.size()), chunk.data()), what_);
      chunk_ = static_cast<Index>(chunk.front());
    }
  }

  const std::string& what() const { return what_; }
  const Shape& shape() const { return shape_; }
  Stored stored() const { return stored_; }
  std::uint64_t bytes() const {
    return static_cast<std::uint64_t>(element_count(shape_)) * number_bytes(stored_);
  }

  std::uint64_t chunk_bytes() const { return chunk_bytes_; }

  Index block() const override {
    constexpr Index kBytes = Index{1} << 20;
    const Index row = std::max<Index>(1, element_count(shape_) / std::max<Index>(1, shape_[0])) *
                      static_cast<Index>(number_bytes(stored_));
    const Index wanted = std::max<Index>(1, kBytes / row);
    return (wanted + chunk_ - 1) / chunk_ * chunk_;
  }

  void read(Index begin, Index end, void* out) const override {
    const Hdf5Session session;
    const Hdf5Handle file = open_file(), dataset = open_dataset(file);
    if (hdf5_shape(dataset, what_) != shape_) fail(what_, "it has changed since it was opened");
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, what_);
    std::vector<hsize_t> start(shape_.size()), count(shape_.begin(), shape_.end());
    start.front() = static_cast<hsize_t>(begin);
    count.front() = static_cast<hsize_t>(end - begin);
    hdf5_check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
               what_);
    const Hdf5Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose,
                            what_);
    hdf5_check(H5Dread(dataset, memory_type(stored_), memory, space, H5P_DEFAULT, out), what_);
    if (stored_ == Stored::F32) expect_finite(static_cast<const float*>(out), begin, end);
    if (stored_ == Stored::F64) expect_finite(static_cast<const double*>(out), begin, end);
  }

 private:
  Hdf5Handle open_file() const {
    return {H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose,
            fmt::format("{}: cannot be read as HDF5, is it cut short?", path_)};
  }
  Hdf5Handle open_dataset(Hdf5Id file) const {
    return {H5Dopen2(file, name_.c_str(), H5P_DEFAULT), H5Dclose, what_};
  }

  template <class T>
  void expect_finite(const T* numbers, Index begin, Index end) const {
    const Index size = element_count(shape_) / std::max<Index>(1, shape_[0]);
    const T* last = numbers + (end - begin) * size;
    const T* bad = std::find_if(numbers, last, [](T x) { return !std::isfinite(static_cast<float>(x)); });
    if (bad == last) return;
    fail(what_,
         fmt::format(
             "expected finite numbers of f32, received {} in sample {}; leave that sample out, or put a "
             "number there",
             *bad, begin + (bad - numbers) / size));
  }

  std::string path_, name_, what_;
  Shape shape_;
  Stored stored_ = Stored::Bytes;
  Index chunk_ = 1;  // rows
  std::uint64_t chunk_bytes_ = 0;
};

template <class T>
std::vector<T> all_of(const Hdf5Rows& rows) {
  std::vector<T> numbers;
  try {
    numbers.resize(static_cast<std::size_t>(element_count(rows.shape())));
  } catch (const std::exception&) {
    fail(rows.what(), fmt::format("no memory for {} bytes", rows.bytes()));
  }
  if (!numbers.empty()) rows.read(0, rows.shape()[0], numbers.data());
  return numbers;
}

}  // namespace

Column read_hdf5(const std::string& path, const std::string& dataset, const ColumnWish& wish,
                 std::uint64_t memory, const ImportLimit& limit) {
  const auto rows = std::make_shared<const Hdf5Rows>(path, dataset);
  const Shape sample(rows->shape().begin() + 1, rows->shape().end());
  const Stored stored = rows->stored();
  const bool stays = rows->bytes() > memory && stored != Stored::Integers && wish.classes == 0;
  const auto count = static_cast<std::uint64_t>(element_count(rows->shape()));
  const std::uint64_t wide =  // while categories and integers become 32-bit ones
      stored == Stored::Integers || wish.classes != 0 ? sizeof(std::int64_t) + sizeof(std::int32_t) : 0;
  limit.take("[data] " + rows->what(), stays ? 0 : rows->bytes(),
             (stays ? 0 : count * wide) + rows->chunk_bytes());
  if (stored == Stored::Integers)
    return column_of_integers(rows->what(), wish, sample, all_of<std::int64_t>(*rows));
  if (stored == Stored::Bytes) {
    if (stays) return stored_column(byte_column(wish.name, sample, {}), rows->shape()[0], rows);
    return column_of_bytes(rows->what(), wish, sample, all_of<std::uint8_t>(*rows));
  }
  if (wish.classes != 0)
    fail(rows->what(),
         fmt::format("expected whole numbers of '{}', whose values are categories, received reals",
                     wish.name));
  const Placement placement{stored == Stored::F32 ? Dtype::F32 : Dtype::F64, Device::Cpu};
  Shape shape = rows->shape();
  if (stays) shape[0] = 0;
  const Tensor values(shape, placement);
  if (values.size() > 0) rows->read(0, shape[0], values.data());
  const Column column = real_column(wish.name, values);
  return stays ? stored_column(column, rows->shape()[0], rows) : column;
}

}  // namespace basin
