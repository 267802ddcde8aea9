#include "data/images/crops.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "data/draws.h"
#include "data/spread.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Where crops can lie in an image.
struct Field {
  const float* pixels;  // the first that a crop may touch
  Index stride, rows, columns;
  std::uint64_t before;  // places in all images before this one
};

}  // namespace

Tensor crops(const ImageStack& images, Key key, Index count, const CropOptions& options,
             const ImportLimit& limit) {
  constexpr int kMostDraws = 1000;
  const Index size = options.size, margin = options.margin;
  if (images.empty()) throw Error("[crops] expected images to take crops from, received none");
  if (size < 1 || margin < 0 || count < 0) {
    throw Error(fmt::format(
        "[crops] expected a size of at least 1, margin and count of at least 0, received {}, {}, {}", size,
        margin, count));
  }
  std::vector<Field> fields;
  std::uint64_t places = 0;
  for (const Image& image : images) {
    const Index height = image.pixels.dim(0), width = image.pixels.dim(1);
    if (!fits_into<Index>(std::min(height, width), size, 2, margin)) {
      throw Error(
          fmt::format("[crops] {}: has {} x {} pixels, smaller than a crop of {} x {} with margins of {}; "
                      "take smaller crops or leave "
                      "the image out",
                      image.name, height, width, size, size, margin));
    }
    const Index rows = height - 2 * margin - size + 1, columns = width - 2 * margin - size + 1;
    fields.push_back({image.pixels.host<float>() + margin * width + margin, width, rows, columns, places});
    places += static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns);
  }
  limit.take(
      "[crops] " + std::to_string(count) + " samples",
      checked_product<std::uint64_t>({sizeof(float), static_cast<std::uint64_t>(count),
                                      static_cast<std::uint64_t>(size), static_cast<std::uint64_t>(size)}));
  const Tensor out({count, size, size});
  std::atomic<bool> is_poor = false;
#pragma omp parallel for schedule(static) if (out.size() > (1 << 16))
  for (Index n = 0; n < count; ++n) {
    float* const crop = out.host<float>() + n * size * size;
    Draws draws(key.fold(static_cast<std::uint64_t>(n)));
    bool is_rich = false;
    for (int draw = 0; draw < kMostDraws && !is_rich; ++draw) {
      const std::uint64_t high = draws.word(), low = draws.word();
      const double unit = static_cast<double>(high << 21 | low >> 11) * 0x1p-53;
      const std::uint64_t place =
          std::min(static_cast<std::uint64_t>(unit * static_cast<double>(places)), places - 1);
      const Field& field = *(std::ranges::upper_bound(fields, place, {}, &Field::before) - 1);
      const auto inside = static_cast<Index>(place - field.before);
      const float* from = field.pixels + inside / field.columns * field.stride + inside % field.columns;
      for (Index y = 0; y < size; ++y) std::copy_n(from + y * field.stride, size, crop + y * size);
      is_rich = options.least_variance <= 0.0 || spread(crop, size * size).variance >= options.least_variance;
    }
    if (!is_rich) is_poor = true;
  }
  if (is_poor) {
    throw Error(
        fmt::format("[crops] {} draws brought no crop of variance {} or more; lower least_variance (bytes "
                    "count as 0 to 1)",
                    kMostDraws, options.least_variance));
  }
  return out;
}

}  // namespace basin
