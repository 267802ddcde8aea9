// Rectangles and convex regions of Larochelle et al. 2007: their training samples are those of the paper for
// training and validation together, which data.validation takes apart.
#include "data/generators/convex.h"
#include "data/generators/rectangles.h"
#include "data/sets/backgrounds.h"
#include "data/sets/counts.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

constexpr Index kTest = 50'000;
constexpr std::uint64_t kBytes = 28 * 28 + sizeof(std::int32_t);

Dataset load_rectangles(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("rectangles");
  const Counts counts(entry, options, 1'200, kTest, kBytes);
  return {entry.name, rectangles(key.fold("train"), counts.train), rectangles(key.fold("test"), counts.test)};
}

Dataset load_convex(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("convex");
  const Counts counts(entry, options, 8'000, kTest, kBytes);
  return {entry.name, convex(key.fold("train"), counts.train), convex(key.fold("test"), counts.test)};
}

Dataset load_rectangle_images(const CatalogEntry& entry, const DatasetOptions& options) {
  const Key key = Key(options.seed).fold("rectangle_images");
  const Counts counts(entry, options, 12'000, kTest, kBytes);
  const auto make = [&](const char* part, Index count) {
    const Key own = key.fold(part);
    const ImportLimit limit(options.import_limit);
    const Tensor inside = background_patches(own.fold("inside"), count, limit),
                 outside = background_patches(own.fold("outside"), count, limit);
    return rectangle_images(own, inside, outside);
  };
  return {entry.name, make("train", counts.train), make("test", counts.test)};
}

}  // namespace

CatalogEntry rectangles_entry() {
  return {.name = "rectangles",
          .description =
              "outlines of rectangles, wide or tall, 28 x 28; embedded, 1,200 to train and 50,000 to test "
              "(Larochelle et al. 2007)",
          .load = load_rectangles};
}

CatalogEntry rectangle_images_entry() {
  return {
      .name = "rectangle_images",
      .description =
          "patches of photographs on patches, wide or tall, 28 x 28; made of 'kodak', 12,000 to train and "
          "50,000 to test (Larochelle et al. 2007)",
      .folder = kodak_entry().folder,
      .files = kodak_entry().files,
      .by_hand = kodak_entry().by_hand,
      .costly = true,
      .load = load_rectangle_images};
}

CatalogEntry convex_entry() {
  return {
      .name = "convex",
      .description =
          "white regions, convex or not, 28 x 28; embedded, 8,000 to train and 50,000 to test (Larochelle "
          "et al. 2007)",
      .load = load_convex};
}

}  // namespace basin
