#include "data/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "config/nearest.h"
#include "data/generators/bars_and_stripes.h"
#include "data/generators/leaves.h"
#include "data/generators/shifter.h"
#include "data/generators/sparse_signals.h"
#include "data/generators/strokes.h"
#include "data/readers/mnist.h"
#include "data/sha256.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

RemoteFile mnist_file(const std::string& name, std::uint64_t bytes, const std::string& sha256,
                      const std::string& unpacked_sha256) {
  return {.name = name,
          .urls = {"https://ossci-datasets.s3.amazonaws.com/mnist/" + name,
                   "https://storage.googleapis.com/cvdf-datasets/mnist/" + name},
          .sha256 = sha256,
          .bytes = bytes,
          .unpacked_sha256 = unpacked_sha256};
}

std::vector<CatalogEntry> make_catalog() {
  return {
      {.name = "strokes",
       .description = "digits 0-9 drawn from stroke skeletons, 28 x 28 grey, 10 classes; embedded, any "
                      "number of samples",
       .folder = "",
       .files = {}},
      {.name = "mnist",
       .description = "handwritten digits, 28 x 28 grey, 10 classes; 60,000 to train and 10,000 to test "
                      "(LeCun et al. 1998)",
       .folder = "mnist",
       .files = {mnist_file("train-images-idx3-ubyte.gz", 9912422,
                            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
                 mnist_file("train-labels-idx1-ubyte.gz", 28881,
                            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
                 mnist_file("t10k-images-idx3-ubyte.gz", 1648877,
                            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
                 mnist_file("t10k-labels-idx1-ubyte.gz", 4542,
                            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")}},
      {.name = "bars_and_stripes",
       .description =
           "every 4 x 4 pattern of whole columns or whole rows, binary; embedded, 30 samples, test = train",
       .folder = "",
       .files = {}},
      {.name = "shifter",
       .description = "a random row of 8 bits and its copy shifted left, not or right, binary, 3 classes; "
                      "embedded, any number of samples",
       .folder = "",
       .files = {}},
      {.name = "sparse_signals",
       .description = "measurements y = A x of sparse codes x, A 250 x 500 random (compressed sensing); "
                      "embedded, any number of samples",
       .folder = "",
       .files = {}},
      {.name = "leaves",
       .description = "patches of dead leaves, images of discs and polygons that hide one another; embedded, "
                      "any number of samples",
       .folder = "",
       .files = {}},
      {.name = "olshausen",
       .description =
           "patches of ten natural images 512 x 512, whitened and low-passed (Olshausen, Field 1996)",
       .folder = "natural",
       .files = {{.name = "olshausen_field_whitened.h5",
                  .urls = {},
                  .sha256 = "8154470f6706f6127459a531e39de8a13aa8df3462a95147aa3f2ef71ab6c22e"}},
       .by_hand =
           "basin cannot download it: nobody may pass the images on; store the ten images of the authors' "
           "sparsenet program as an "
           "HDF5 file of f32 [10, 512, 512], or take name = \"images\" for other files, or \"leaves\""},
      {.name = "kodak",
       .description = "patches of 24 grey photographs 512 x 768 (Kodak's lossless true-colour images)",
       .folder = "natural",
       .files = {{.name = "kodak24_gray-idx3-ubyte.gz",
                  .urls = {},
                  .sha256 = "226998107f219cb97cc8eec33347c76e5b790e607f09bede4a59f3c58e487b9f",
                  .unpacked_sha256 = "ccbdaac55f92e12fac2c526dafd9eddb510d4a34720a68f19ff32528251b6fc5"}},
       .by_hand = "basin cannot download this packed form; put the 24 PNG files of r0k.us/graphics/kodak "
                  "into a folder and take "
                  "name = \"images\" and path = \"FOLDER\""},
      {.name = "images",
       .description = "patches of your own images: path = a folder of PNG and JPEG, a .png, .jpg, .h5 or "
                      "idx3-ubyte file",
       .folder = "",
       .files = {},
       .needs_path = true}};
}

/// Every place where the file may lie, official name first.
std::vector<fs::path> places(const CatalogEntry& entry, const std::string& name) {
  std::vector<fs::path> paths;
  for (const std::string& folder : data_folders()) {
    if (!entry.folder.empty()) paths.push_back(fs::path(folder) / entry.folder / name);
    paths.push_back(fs::path(folder) / name);
  }
  return paths;
}

std::string without_gz(const std::string& name) {
  return name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
}

/// The first `wanted` samples of those there are, all when 0.
Samples take(Samples samples, Index wanted, const char* dataset, const char* split) {
  if (wanted == 0 || wanted == samples.count) return samples;
  if (wanted < 0 || wanted > samples.count) {
    throw Error(fmt::format("[{}] expected 1 to {} {} samples (0 = all), received {}", dataset, samples.count,
                            split, wanted));
  }
  return samples.head(wanted);
}

Dataset load_mnist(const CatalogEntry& entry, const DatasetOptions& options) {
  std::array<std::string, 4> paths;
  for (std::size_t i = 0; i < paths.size(); ++i) paths[i] = locate(entry, entry.files[i]);
  return {entry.name, take(read_mnist(paths[0], paths[1]), options.train, "mnist", "train"),
          take(read_mnist(paths[2], paths[3]), options.test, "mnist", "test")};
}

Dataset load_bars_and_stripes(const DatasetOptions& options) {
  const Samples all = bars_and_stripes(
      {.side = options.size == 0 ? 4 : options.size, .count_plain_twice = options.count_plain_twice});
  return {"bars_and_stripes", take(all, options.train, "bars_and_stripes", "train"),
          take(all, options.test, "bars_and_stripes", "test")};
}

Dataset load_shifter(const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("shifter");
  const Index bits = options.size == 0 ? 8 : options.size;
  return {"shifter", shifter(key.fold("train"), options.train == 0 ? 10'000 : options.train, bits),
          shifter(key.fold("test"), options.test == 0 ? 2'000 : options.test, bits)};
}

Dataset load_sparse_signals(const DatasetOptions& options) {
  const SparseSignals signals = sparse_signals(options.seed, options.size);
  const auto split = [&](const char* name, Index count) {
    std::vector<Index> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), Index{0});
    return Samples{real_column("signal", signals.batch(rows, signals.key().fold(name)).y)};
  };
  return {"sparse_signals", split("train", options.train == 0 ? 6'400 : options.train),
          split("test", options.test == 0 ? 1'000 : options.test)};
}

/// Images large enough for two crops a side, so that a crop is not always the middle of one.
Dataset load_leaves(const DatasetOptions& options) {
  constexpr Index kImages = 125;
  const Key key = Key(options.seed).fold("leaves");
  const Index side = std::max<Index>(128, 2 * options.patches.size);
  return patch_dataset("leaves", leaves(key.fold("images"), 0, kImages, {.side = side}), key.fold("patches"),
                       options.train, options.test, options.patches);
}

Dataset load_photographs(const CatalogEntry& entry, const DatasetOptions& options) {
  constexpr Index kOlshausenBorder =
      4;  // pixels into which the filter that whitened the images wrapped around
  if (entry.needs_path && options.path.empty()) {
    throw Error(
        "[images] expected a file or folder of images, received none; say where it is by path = \"...\"");
  }
  PatchOptions patches = options.patches;
  if (entry.name == "olshausen" && !patches.margin) patches.margin = kOlshausenBorder;
  const ImageStack images = entry.needs_path ? read_images(options.path, options.inside)
                                             : read_images(locate(entry, entry.files[0]));
  return patch_dataset(entry.name, images, Key(options.seed).fold(entry.name), options.train, options.test,
                       patches);
}

Dataset load_strokes(const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("strokes");
  return {"strokes", strokes(key.fold("train"), 0, options.train == 0 ? 20'000 : options.train),
          strokes(key.fold("test"), 0, options.test == 0 ? 4'000 : options.test)};
}

}  // namespace

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> kCatalog = make_catalog();
  return kCatalog;
}

const CatalogEntry& find_entry(const std::string& name) {
  std::vector<std::string> names;
  for (const CatalogEntry& entry : catalog()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw Error(fmt::format("[data] unknown data set '{}'; {}", name, suggestion(name, names)));
}

bool is_downloadable(const CatalogEntry& entry) {
  return !entry.files.empty() &&
         std::ranges::none_of(entry.files, [](const RemoteFile& file) { return file.urls.empty(); });
}

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  if (const char* chosen = std::getenv("BASIN_DATA"); chosen != nullptr && *chosen != '\0')
    folders.emplace_back(chosen);
  folders.emplace_back("data");
  return folders;
}

std::string locate(const CatalogEntry& entry, const RemoteFile& file) {
  for (const std::string& name : {file.name, without_gz(file.name)}) {
    for (const fs::path& path : places(entry, name)) {
      std::error_code error;
      if (fs::is_regular_file(path, error)) return path.string();
    }
  }
  const std::string advice = is_downloadable(entry)
                                 ? fmt::format(", or fetch it by 'basin data fetch {}'", entry.name)
                                 : "; " + entry.by_hand;
  throw Error(fmt::format("[data] {} of '{}' is not in {}; set BASIN_DATA to the folder that holds it{}",
                          file.name, entry.name, fmt::join(data_folders(), " or "), advice));
}

std::string verify_file(const CatalogEntry& entry, const RemoteFile& file) {
  std::string path = locate(entry, file);
  const std::string digest = sha256_file(path),
                    expected = path.ends_with(file.name) ? file.sha256 : file.unpacked_sha256;
  if (digest != expected) {
    const std::string advice =
        is_downloadable(entry)
            ? fmt::format("remove it and fetch it again by 'basin data fetch {}'", entry.name)
            : entry.by_hand;
    throw Error(fmt::format("[data] {}: its SHA-256 is {}, expected {}; {}", path, digest, expected, advice));
  }
  return path;
}

Dataset load_dataset(const std::string& name, const DatasetOptions& options) {
  const CatalogEntry& entry = find_entry(name);
  for (const Index count : {options.train, options.test, options.size}) {
    if (count < 0) throw Error(fmt::format("[{}] expected counts >= 0, received {}", name, count));
  }
  if (name == "mnist") return load_mnist(entry, options);
  if (name == "bars_and_stripes") return load_bars_and_stripes(options);
  if (name == "shifter") return load_shifter(options);
  if (name == "sparse_signals") return load_sparse_signals(options);
  if (name == "leaves") return load_leaves(options);
  if (name == "strokes") return load_strokes(options);
  return load_photographs(entry, options);
}

}  // namespace basin
