#include "data/readers/hdf5_rows.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

Dataset load(const CatalogEntry& entry, const DatasetOptions& options) {
  const std::string path = locate(entry, entry.files[0]);
  const ImportLimit limit(options.import_limit);
  constexpr std::uint64_t kInMemory = std::uint64_t{1} << 30;
  const auto read = [&](const std::string& part) {
    const Column pixels = read_hdf5(path, part + "/data", {"image"}, kInMemory, limit);
    return Samples{real_column("image", pixels.reals().reshaped({pixels.count(), 16, 16})),
                   read_hdf5(path, part + "/target", {"label", 10}, kInMemory, limit)};
  };
  return {entry.name, take(read("train"), options.train, entry.name, "train"),
          take(read("test"), options.test, entry.name, "test")};
}

}  // namespace

CatalogEntry usps_entry() {
  return {
      .name = "usps",
      .description =
          "handwritten digits of envelopes, 16 x 16 grey in [0, 1], 10 classes; 7,291 to train and 2,007, "
          "harder, to test (LeCun et al. 1989)",
      .folder = "usps",
      .files = {{.name = "usps.h5",
                 .urls = {},
                 .sha256 = "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36"}},
      .by_hand =
          "basin cannot download it; store train/data [7291, 256], train/target, test/data [2007, 256] and "
          "test/target as HDF5 under that name",
      .load = load};
}

}  // namespace basin
