#include "training/pictures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/error.h"
#include "training/history.h"

namespace basin {

Tensor on_host(const Value& value) { return value.tensor().to({Dtype::F32, Device::Cpu}); }

TileOptions sized(TileOptions options, const Shape& sample_shape) {
  if (sample_shape.size() == 2) {
    options.height = static_cast<int>(sample_shape[0]);
    options.width = static_cast<int>(sample_shape[1]);
  }
  return options;
}

Picture beside(const Picture& left, const Picture& right) {
  constexpr int kGap = 12;
  constexpr std::uint8_t kWhite = 255;
  Picture both{.width = left.width + kGap + right.width,
               .height = std::max(left.height, right.height),
               .channels = 1,
               .pixels = {}};
  both.pixels.assign(static_cast<std::size_t>(both.width) * static_cast<std::size_t>(both.height), kWhite);
  const auto paste = [&](const Picture& part, int at) {
    for (int y = 0; y < part.height; ++y) {
      const auto from = part.pixels.begin() + static_cast<std::ptrdiff_t>(y) * part.width;
      std::copy(from, from + part.width,
                both.pixels.begin() + static_cast<std::ptrdiff_t>(y) * both.width + at);
    }
  };
  paste(left, 0);
  paste(right, left.width + kGap);
  return both;
}

void share_grey_levels(const Tensor& tiles, Index columns) {
  const Index size = tiles.size() / tiles.dim(0);
  std::vector<float> largest(static_cast<std::size_t>(columns), 0.0f);
  float* numbers = tiles.host<float>();
  for (Index i = 0; i < columns * size; ++i) {
    float& most = largest[static_cast<std::size_t>(i / size)];
    most = std::max(most, std::abs(numbers[i]));
  }
  for (Index i = 0; i < tiles.size(); ++i) {
    const float most = largest[static_cast<std::size_t>(i / size % columns)];
    if (most > 0.0f) numbers[i] = std::clamp(numbers[i] / most, -1.0f, 1.0f);
  }
}

void save_curves(const Store& store, const std::string& metric, const std::string& title, bool log_y,
                 const std::string& path) {
  const History history = History::read(store);
  const History::Table& table = history.epochs();
  std::string chosen = metric;
  if (chosen.empty()) {
    for (const char* telling : {"pseudo_likelihood", "reconstruction_error", "relative_error", "loss"}) {
      const auto found = table.columns.lower_bound(telling);
      if (found != table.columns.end() && found->first.starts_with(telling)) {
        chosen = telling;
        break;
      }
    }
  }
  std::vector<Curve> curves;
  std::vector<std::string> known;
  std::string unit;
  for (const auto& [name, column] : table.columns) {
    known.push_back(name);
    if (!chosen.empty() && name.starts_with(chosen)) {
      curves.push_back(
          {.label = name, .x = std::vector<double>(table.at.begin(), table.at.end()), .y = column});
      unit = metric_unit(name);
    }
  }
  if (curves.empty()) {
    throw Error(fmt::format("[curves] expected a metric of the file, received '{}'; it holds: {}", metric,
                            fmt::join(known, ", ")));
  }
  PlotOptions options;
  options.title = title;
  options.x_label = "epoch";
  options.y_label = fmt::format("{} ({})", chosen, unit);
  options.log_y = log_y;
  save_plot(curves, options, path);
}

}  // namespace basin
