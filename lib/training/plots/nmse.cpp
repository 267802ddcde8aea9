#include "training/measures/nmse.h"

#include <cmath>

#include "training/plots/plot.h"

namespace basin {

/// Error against number of iterations, of a network and of what it competes with.
void draw_nmse(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const auto& recovery = need<Recovery>(view.stage, "nmse");
  std::vector<double> depths;
  for (const Index depth : recovery.depths) depths.push_back(std::log2(static_cast<double>(depth)));
  std::vector<Curve> curves;
  for (const Recovery::Row& row : recovery.compare(view.data().test.count))
    curves.push_back({.label = row.method, .x = depths, .y = row.nmse});
  save_plot(
      curves,
      {.title = "sparse recovery", .x_label = "log2 of the number of iterations", .y_label = "NMSE (dB)"},
      drawing.path);
}

}  // namespace basin
