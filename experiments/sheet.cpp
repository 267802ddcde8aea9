#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "commands.h"
#include "config/config.h"
#include "data/catalog.h"
#include "data/fill_batch.h"
#include "results/pictures/picture.h"
#include "tensor/error.h"

namespace basin::program {

int show_samples(const Config& config, const std::string& path) {
  constexpr Index kShown = 100, kOfEach = 10;
  const Config table = config.table("data");
  const DatasetChoice choice = read_dataset(table);
  BatchOptions batch{.scale = read_pixel_scale(table, "scale", "unit")};
  if (table.has("augment")) {
    batch.augment = read_augmentation(table.table("augment"));
  }
  config.finish();
  const Dataset data = load_dataset(choice.name, choice.options);
  const Column& column = data.train.first();
  if (column.kind() == ColumnKind::Integers) {
    throw Error(fmt::format("[data] expected images to show, received categories of '{}'", choice.name));
  }
  Shape shape = image_shape(column.shape(), "data");
  if (shape[0] != 1 && shape[0] != 3) {
    throw Error(fmt::format("[data] expected images of 1 or 3 channels, received {}", shape[0]));
  }
  // Augmented: each sample of a row of the sheet ten times, the first time as it is.
  const bool is_distorted = !batch.augment.is_none();
  const Index samples = std::min(data.train.count, is_distorted ? kShown / kOfEach : kShown);
  const Index each = is_distorted ? kOfEach : 1;
  std::vector<Index> rows(static_cast<std::size_t>(samples));
  std::iota(rows.begin(), rows.end(), Index{0});
  shape.insert(shape.begin(), samples * each);
  const Tensor images(shape), once({samples, column.sample_size()});
  for (Index k = 0; k < each; ++k) {
    batch.key = Key(choice.options.seed).fold("show").fold(static_cast<std::uint64_t>(k));
    const Augmentation how = std::exchange(batch.augment, k == 0 ? Augmentation{} : batch.augment);
    fill_batch(column, rows, batch, once);
    batch.augment = how;
    for (Index n = 0; n < samples; ++n) {
      std::copy_n(once.host<float>() + n * column.sample_size(), column.sample_size(),
                  images.host<float>() + (n * each + k) * column.sample_size());
    }
  }
  const TileOptions tiles = sized({.is_signed = false, .columns = is_distorted ? int{kOfEach} : 0},
                                  {shape.begin() + 1, shape.end()});
  save_png(tile(images, tiles), path);
  return kDone;
}

}  // namespace basin::program
