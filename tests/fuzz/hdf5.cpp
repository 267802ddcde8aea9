// HDF5 files of images and of columns.
#include "data/images/image_files.h"
#include "data/readers/hdf5_rows.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const fuzz::MemoryFile file(data, size);
  fuzz::expect_read_or_refusal([&] { read_hdf5_images(file.path(), "", fuzz::limit()); });
  return fuzz::expect_read_or_refusal([&] { read_hdf5(file.path(), "x", {"x"}, 1 << 20, fuzz::limit()); });
}
