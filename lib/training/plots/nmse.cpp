#include "training/plots/plot.h"

namespace basin {

/// The errors of the measure "nmse" against the number of iterations, of a network and of its rivals.
void draw_nmse(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  std::vector<double> depths;
  for (const std::int64_t depth : store.integers("/evaluation/depth"))
    depths.push_back(static_cast<double>(depth));
  std::vector<Curve> curves;
  for (const std::string& path : store.list("/evaluation/nmse"))
    curves.push_back({.label = path.substr(path.rfind('/') + 1), .x = depths, .y = store.numbers(path)});
  save_plot(curves,
            {.title = "sparse recovery",
             .x_label = "iterations, or layers",
             .y_label = "NMSE (dB)",
             .log_x = true,
             .x_ticks = depths},
            drawing.path);
}

}  // namespace basin
