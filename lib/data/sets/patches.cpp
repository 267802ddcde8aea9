#include "data/images/patches.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "data/generators/leaves.h"
#include "data/sets/sets.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kWidestWindow = 4097;  // pixels: of larger images than are cut into patches

/// data.patches
void read_patches(const Reader& data, DatasetOptions& options) {
  const Reader in(data.table().table("patches"));
  const Config& table = in.table();
  PatchOptions& patches = options.patches;
  patches.size = in.count("size", 2, patches.size);
  if (table.has("margin")) patches.margin = in.count("margin", 0);
  patches.least_variance = in.within("least_variance", 0.0, kInfinity, patches.least_variance);
  patches.remove_mean = table.boolean("remove_mean", patches.remove_mean);
  const std::string contrast = table.choice("contrast", {"none", "local", "patch"}, "none");
  if (contrast == "local") {
    patches.contrast = ContrastNorm::Local;
    patches.window = in.count("window", 3, patches.window, kWidestWindow);
  } else if (contrast == "patch") {
    patches.contrast = ContrastNorm::Patch;
    patches.contrast_floor = in.within("contrast_floor", 0.0, kInfinity, patches.contrast_floor);
  }
  const std::string whiten = table.choice("whiten", {"none", "pca", "zca"}, "none");
  if (whiten != "none") {
    patches.whiten = whiten == "pca" ? Whiten::Pca : Whiten::Zca;
    patches.epsilon = in.within("epsilon", 0.0, kInfinity, patches.epsilon);
    patches.dimensions = in.count("dimensions", 0, 0);
  }
  patches.unit_variance = table.boolean("unit_variance", patches.unit_variance);
}

/// Images large enough for two crops a side, so that a crop is not always the middle of one.
Dataset load_leaves(const CatalogEntry& entry, const DatasetOptions& options) {
  constexpr Index kImages = 125;
  const Key key = Key(options.seed).fold("leaves");
  constexpr Index kLargest = 2048;
  if (options.patches.size > kLargest) {
    throw Error(fmt::format("[leaves] expected patches of at most {} pixels a side, received {}", kLargest,
                            options.patches.size));
  }
  const Index side = std::max<Index>(128, 2 * options.patches.size);
  return patch_dataset(entry.name, leaves(key.fold("images"), 0, kImages, {.side = side}),
                       key.fold("patches"), options.train, options.test, options.patches,
                       ImportLimit(options.import_limit));
}

Dataset patches_of(const CatalogEntry& entry, const std::string& path, const DatasetOptions& options,
                   const PatchOptions& patches) {
  const ImportLimit limit(options.import_limit);
  const ImageStack images = read_images(path, options.inside, limit);
  return patch_dataset(entry.name, images, Key(options.seed).fold(entry.name), options.train, options.test,
                       patches, limit);
}

Dataset load_olshausen(const CatalogEntry& entry, const DatasetOptions& options) {
  PatchOptions patches = options.patches;
  if (!patches.margin)
    patches.margin = 4;  // pixels into which the filter that whitened the images wrapped around
  return patches_of(entry, locate(entry, entry.files[0]), options, patches);
}

Dataset load_kodak(const CatalogEntry& entry, const DatasetOptions& options) {
  return patches_of(entry, locate(entry, entry.files[0]), options, options.patches);
}

Dataset load_images(const CatalogEntry& entry, const DatasetOptions& options) {
  if (options.path.empty()) {
    throw Error(
        "[images] expected a file or folder of images, received none; say where it is by path = \"...\"");
  }
  return patches_of(entry, options.path, options, options.patches);
}

}  // namespace

CatalogEntry leaves_entry() {
  return {.name = "leaves",
          .description =
              "patches of dead leaves, images of discs and polygons that hide one another; embedded, "
              "any number of samples",
          .costly = true,
          .read = read_patches,
          .load = load_leaves};
}

CatalogEntry olshausen_entry() {
  return {.name = "olshausen",
          .description =
              "patches of ten natural images 512 x 512, whitened and low-passed (Olshausen, Field 1996)",
          .folder = "natural",
          .files = {{.name = "olshausen_field_whitened.h5",
                     .urls = {},
                     .sha256 = "8154470f6706f6127459a531e39de8a13aa8df3462a95147aa3f2ef71ab6c22e"}},
          .by_hand =
              "basin cannot download it: nobody may pass the images on; store the ten images of the authors' "
              "sparsenet program as an "
              "HDF5 file of f32 [10, 512, 512], or take name = \"images\" for other files, or \"leaves\"",
          .costly = true,
          .read = read_patches,
          .load = load_olshausen};
}

CatalogEntry kodak_entry() {
  return {.name = "kodak",
          .description = "patches of 24 grey photographs 512 x 768 (Kodak's lossless true-colour images)",
          .folder = "natural",
          .files = {{.name = "kodak24_gray-idx3-ubyte.gz",
                     .urls = {},
                     .sha256 = "226998107f219cb97cc8eec33347c76e5b790e607f09bede4a59f3c58e487b9f",
                     .unpacked_sha256 = "ccbdaac55f92e12fac2c526dafd9eddb510d4a34720a68f19ff32528251b6fc5"}},
          .by_hand =
              "basin cannot download this packed form; put the 24 PNG files of r0k.us/graphics/kodak "
              "into a folder and take "
              "name = \"images\" and path = \"FOLDER\"",
          .costly = true,
          .read = read_patches,
          .load = load_kodak};
}

CatalogEntry images_entry() {
  return {.name = "images",
          .description =
              "patches of your own images: path = a folder of PNG and JPEG, a .png, .jpg, .h5 or "
              "idx3-ubyte file",
          .needs_path = true,
          .costly = true,
          .read =
              [](const Reader& in, DatasetOptions& options) {
                read_patches(in, options);
                options.path = in.table().text("path");
                options.inside = in.table().text("inside", "");
              },
          .load = load_images};
}

}  // namespace basin
