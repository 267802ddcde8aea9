#include "results/hdf5/rows_file.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "results/files/atomic_file.h"
#include "results/hdf5/hdf5_handle.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;  // 256 KiB: what one row costs to read at random
constexpr std::size_t kCacheBytes = std::size_t{1} << 26;  // 64 MiB of chunks stay in memory
constexpr const char* kDataset = "rows";

hid_t number_type(Dtype dtype, bool stored) {
  if (dtype == Dtype::F32) return stored ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT;
  return stored ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
}

/// Extents {rows, row...} as HDF5 has them.
std::vector<hsize_t> extents_of(Index rows, const Shape& row) {
  std::vector<hsize_t> extents{static_cast<hsize_t>(rows)};
  extents.insert(extents.end(), row.begin(), row.end());
  return extents;
}

/// Reads or writes rows [begin, begin + count).
template <class Move>
void move_rows(hid_t dataset, Index begin, Index count, const Shape& row, const std::string& what,
               Move move) {
  const std::vector<hsize_t> extents = extents_of(count, row);
  const int rank = static_cast<int>(extents.size());
  std::vector<hsize_t> start(extents.size(), 0);
  start[0] = static_cast<hsize_t>(begin);
  const Hdf5Handle in_memory(H5Screate_simple(rank, extents.data(), nullptr), H5Sclose, what);
  const Hdf5Handle in_file(H5Dget_space(dataset), H5Sclose, what);
  hdf5_check(H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start.data(), nullptr, extents.data(), nullptr),
             what);
  hdf5_check(move(in_memory, in_file), what);
}

template <class Number>
bool all_finite(const void* numbers, Index count) {
  const auto* begin = static_cast<const Number*>(numbers);
  return std::all_of(begin, begin + count, [](Number x) { return std::isfinite(x); });
}

}  // namespace

Index rows_in_chunk(const Shape& row, Dtype dtype) {
  const std::size_t bytes = static_cast<std::size_t>(element_count(row)) * byte_size(dtype);
  return static_cast<Index>(std::max<std::size_t>(1, kChunkBytes / std::max<std::size_t>(1, bytes)));
}

struct RowsWriter::File {
  explicit File(const std::string& name) : path(name), target(name) {}

  std::string path;
  AtomicFile target;
  Shape row;
  Dtype dtype = Dtype::F32;
  Index count = 0;
  hid_t file = -1, dataset = -1;

  /// False when the disk does not take what HDF5 still holds. HDF5 cannot close such a file (it breaks down
  /// later): it is left open for the rest of the process.
  bool close() {
    if (file < 0) return true;
    const bool good = H5Fflush(file, H5F_SCOPE_LOCAL) >= 0;
    if (good && dataset >= 0) H5Dclose(dataset);
    if (good) H5Fclose(file);
    dataset = file = -1;
    return good;
  }
  ~File() {
    const Hdf5Session session;
    close();
  }
};

RowsWriter::RowsWriter(const std::string& path, Shape row, Dtype dtype)
    : file_(std::make_unique<File>(path)) {
  file_->row = std::move(row);
  file_->dtype = dtype;
  const std::string& what = file_->path;
  const Hdf5Session session;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pset_file_locking(access, false, true);  // the file is locked already
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, what);
  H5Pset_obj_track_times(creation, false);  // of the root group
  file_->file =
      hdf5_check(H5Fcreate(file_->target.temporary().c_str(), H5F_ACC_TRUNC, creation, access), what);
  std::vector<hsize_t> extents = extents_of(0, file_->row), most = extents;
  most[0] = H5S_UNLIMITED;
  std::vector<hsize_t> chunk = extents;
  chunk[0] = static_cast<hsize_t>(rows_in_chunk(file_->row, dtype));
  const int rank = static_cast<int>(extents.size());
  const Hdf5Handle space(H5Screate_simple(rank, extents.data(), most.data()), H5Sclose, what);
  const Hdf5Handle options(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, what);
  H5Pset_obj_track_times(options, false);
  H5Pset_chunk(options, rank, chunk.data());
  file_->dataset = hdf5_check(
      H5Dcreate2(file_->file, kDataset, number_type(dtype, true), space, H5P_DEFAULT, options, H5P_DEFAULT),
      what);
}

RowsWriter::~RowsWriter() = default;

void RowsWriter::append(const Tensor& rows) {
  const Index n = rows.dim(0);
  const Tensor host = rows.to({file_->dtype, Device::Cpu});
  if (host.size() != n * element_count(file_->row)) {
    throw Error(fmt::format("[rows] expected rows of {}, received {}", to_string(file_->row),
                            to_string(rows.shape())));
  }
  const Hdf5Session session;
  const std::vector<hsize_t> extents = extents_of(file_->count + n, file_->row);
  hdf5_check(H5Dset_extent(file_->dataset, extents.data()), file_->path);
  move_rows(file_->dataset, file_->count, n, file_->row, file_->path, [&](hid_t in_memory, hid_t in_file) {
    return H5Dwrite(file_->dataset, number_type(file_->dtype, false), in_memory, in_file, H5P_DEFAULT,
                    host.data());
  });
  file_->count += n;
}

void RowsWriter::finish() {
  {
    const Hdf5Session session;
    if (!file_->close()) hdf5_fail(file_->path);
  }
  file_->target.finish();
}

struct RowsFile::File {
  std::string path;
  Shape row;
  Dtype dtype = Dtype::F32;
  Index count = 0;
  hid_t file = -1, dataset = -1;

  ~File() {
    const Hdf5Session session;
    if (dataset >= 0) H5Dclose(dataset);
    if (file >= 0) H5Fclose(file);
  }
};

RowsFile::RowsFile(const std::string& path) : file_(std::make_shared<File>()) {
  file_->path = path;
  const Hdf5Session session;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, path);
  H5Pset_cache(access, 0, 12421, kCacheBytes, 0.75);
  H5Pset_file_locking(access, false, true);  // nobody writes to a file that has its name
  file_->file = hdf5_check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), path);
  file_->dataset = hdf5_check(H5Dopen2(file_->file, kDataset, H5P_DEFAULT), path);
  const Hdf5Handle space(H5Dget_space(file_->dataset), H5Sclose, path);
  const Hdf5Handle type(H5Dget_type(file_->dataset), H5Tclose, path);
  std::vector<hsize_t> extents(static_cast<std::size_t>(hdf5_check(H5Sget_simple_extent_ndims(space), path)));
  hdf5_check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), path);
  if (extents.empty() || H5Tget_class(type) != H5T_FLOAT) {
    throw Error(
        fmt::format("[rows] {}: expected rows of floating-point numbers, received something else", path));
  }
  file_->dtype = H5Tget_size(type) <= sizeof(float) ? Dtype::F32 : Dtype::F64;
  file_->count = static_cast<Index>(extents[0]);
  file_->row.assign(extents.begin() + 1, extents.end());
}

Index RowsFile::count() const { return file_->count; }
const Shape& RowsFile::row() const { return file_->row; }
Dtype RowsFile::dtype() const { return file_->dtype; }

void RowsFile::read(Index begin, Index end, void* out) const {
  if (begin < 0 || end < begin || end > file_->count) {
    throw Error(fmt::format("[rows] {}: expected some of its {} rows, received {} to {}", file_->path,
                            file_->count, begin, end));
  }
  if (end == begin) return;
  const Hdf5Session session;
  move_rows(file_->dataset, begin, end - begin, file_->row, file_->path, [&](hid_t in_memory, hid_t in_file) {
    return H5Dread(file_->dataset, number_type(file_->dtype, false), in_memory, in_file, H5P_DEFAULT, out);
  });
  const Index count = (end - begin) * element_count(file_->row);
  if (!(file_->dtype == Dtype::F32 ? all_finite<float>(out, count) : all_finite<double>(out, count))) {
    throw Error(fmt::format("[rows] {}: rows {} to {} hold a number that is not finite", file_->path, begin,
                            end - 1));
  }
}

}  // namespace basin
