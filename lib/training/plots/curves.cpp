#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "training/history.h"
#include "training/plots/plot.h"

namespace basin {

/// The epoch metrics whose names begin with drawing.metric, over epochs; "" takes the most telling one there
/// is. Of every stage. Throws Error naming the metrics in the file when there is none.
void draw_curves(const Drawing& drawing, const StageView& /*view*/, const Store& store) {
  const History history = History::read(store);
  const History::Table& table = history.epochs();
  const std::vector<std::string> telling = telling_kinds(table);
  const std::string chosen = !drawing.metric.empty() || telling.empty() ? drawing.metric : telling.front();
  std::vector<Curve> curves;
  std::vector<std::string> known;
  std::string unit;
  for (const auto& [name, column] : table.columns) {
    known.push_back(name);
    if (!chosen.empty() && name.starts_with(chosen)) {
      curves.push_back(
          {.label = name, .x = std::vector<double>(table.at.begin(), table.at.end()), .y = column});
      unit = history.unit(name);
    }
  }
  if (curves.empty()) {
    throw Error(fmt::format("[curves] expected a metric of the file, received '{}'; it holds: {}",
                            drawing.metric, fmt::join(known, ", ")));
  }
  if (std::ranges::none_of(curves, [](const Curve& curve) {
        return std::ranges::any_of(curve.y, [](double number) { return std::isfinite(number); });
      })) {
    throw NothingToDraw(fmt::format("[curves] expected finite numbers of {}, received none", chosen));
  }
  PlotOptions options;
  options.title = drawing.title;
  options.x_label = "epoch";
  options.y_label = fmt::format("{} ({})", chosen, unit);
  options.log_y = drawing.log_y;
  save_plot(curves, options, drawing.path);
}

}  // namespace basin
