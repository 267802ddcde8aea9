#include <cmath>

#include "training/plots/plot.h"

namespace basin {

/// The errors of the measure "nmse" against the number of iterations, of a network and of its rivals.
void draw_nmse(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  std::vector<double> depths;
  for (const std::int64_t depth : store.integers("/evaluation/depth"))
    depths.push_back(std::log2(static_cast<double>(depth)));
  std::vector<Curve> curves;
  for (const std::string& path : store.list("/evaluation/nmse"))
    curves.push_back({.label = path.substr(path.rfind('/') + 1), .x = depths, .y = store.numbers(path)});
  save_plot(
      curves,
      {.title = "sparse recovery", .x_label = "log2 of the number of iterations", .y_label = "NMSE (dB)"},
      drawing.path);
}

}  // namespace basin
