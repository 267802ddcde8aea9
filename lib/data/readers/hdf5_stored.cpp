#include "data/readers/hdf5_stored.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include <algorithm>
#include <vector>

#include "data/readers/byte_source.h"
#include "tensor/error.h"

namespace basin {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& why) {
  throw Error(fmt::format("[hdf5] {}: {}", what, why));
}

}  // namespace

Shape hdf5_shape(Hdf5Id dataset, const std::string& what) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, what);
  const int rank = hdf5_check(H5Sget_simple_extent_ndims(space), what);
  std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
  hdf5_check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), what);
  return Shape(extents.begin(), extents.end());
}

std::uint64_t hdf5_expect_stored(Hdf5Id dataset, const Shape& shape, std::uint64_t length,
                                 const std::string& what) {
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, what);
  const Hdf5Handle options(H5Dget_create_plist(dataset), H5Pclose, what);
  const std::uint64_t size = H5Tget_size(type), stored = H5Dget_storage_size(dataset);
  const bool chunked = H5Pget_layout(options) == H5D_CHUNKED;
  if (H5Pget_external_count(options) != 0)
    fail(what, "expected its numbers in the file, received a reference to another file");
  const std::uint64_t most = std::min(stored, length) * (chunked ? kDeflateRatio : 1);
  std::uint64_t room = most / size;  // in numbers, divided by one extent after another
  for (const Index extent : shape) room /= std::max<std::uint64_t>(1, static_cast<std::uint64_t>(extent));
  if (room == 0) {
    fail(
        what,
        fmt::format(
            "declares {}, more than the {} bytes stored for it can hold; it is cut short or not what it says",
            to_string(shape), std::min(stored, length)));
  }
  if (!chunked) return 0;
  std::vector<hsize_t> chunk(shape.size());
  hdf5_check(H5Pget_chunk(options, static_cast<int>(chunk.size()), chunk.data()), what);
  room = length * kDeflateRatio / size;
  std::uint64_t bytes = size;  // no more than `room` numbers, once checked
  for (const hsize_t extent : chunk) {
    room /= std::max<hsize_t>(1, extent);
    bytes *= std::max<hsize_t>(1, extent);
  }
  if (room == 0)
    fail(what, fmt::format("declares chunks of {}, more than the file can hold", fmt::join(chunk, " x ")));
  return bytes;
}

}  // namespace basin
