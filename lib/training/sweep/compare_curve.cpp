#include "training/sweep/compare_curve.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "results/files/atomic_file.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Point {
  double x = 0.0, mean = 0.0, low = 0.0, high = 0.0;  // low and high are NaN where there is no band
};

Point point_of(const Comparison& comparison, const Comparison::Group& group) {
  if (comparison.over.empty())
    throw Error("[compare] expected a key of numbers to draw curves against, received none; add --over KEY");
  const double mean = mean_of(group.values), deviation = deviation_of(group.values);
  Point point{
      .x = std::stod(group.settings.back()), .mean = mean, .low = mean - deviation, .high = mean + deviation};
  if (group.mean) {
    point.low = group.mean->low;
    point.high = group.mean->high;
  }
  return point;
}

std::string band_of(const Comparison& comparison) {
  return comparison.test == "bootstrap" ? "95 % interval by bootstrap" : "standard deviation of the runs";
}

}  // namespace

ComparisonCurves curves_of(const Comparison& comparison) {
  ComparisonCurves found{.band = band_of(comparison)};
  for (const Comparison::Group& group : comparison.groups) {
    const Point point = point_of(comparison, group);
    const std::string label =
        fmt::format("{}", fmt::join(group.settings.begin(), group.settings.end() - 1, ", "));
    if (found.curves.empty() || found.curves.back().label != label) {
      found.curves.push_back({.label = label, .x = {}, .y = {}});
      found.bands.emplace_back();
    }
    found.curves.back().x.push_back(point.x);
    found.curves.back().y.push_back(point.mean);
    found.bands.back().low.push_back(point.low);
    found.bands.back().high.push_back(point.high);
  }
  return found;
}

TextTable table_of_curves(const Comparison& comparison) {
  std::vector<std::string> names = comparison.keys;
  for (const std::string& name : {"mean " + comparison.metric, "low (" + band_of(comparison) + ")",
                                  std::string("high"), std::string("n")})
    names.push_back(name);
  TextTable table(std::move(names));
  for (const Comparison::Group& group : comparison.groups) {
    const Point point = point_of(comparison, group);
    std::vector<std::string> row = group.settings;
    for (const double value : {point.mean, point.low, point.high}) row.push_back(number_cell(value));
    row.push_back(fmt::format("{}", group.values.size()));
    table.add(std::move(row));
  }
  return table;
}

std::vector<std::string> save_curves(const Comparison& comparison, const std::string& path) {
  const std::string table = std::filesystem::path(path).replace_extension(".csv").string();
  const ComparisonCurves found = curves_of(comparison);
  PlotOptions options{
      .title = fmt::format("{} against {}: mean and {}", comparison.metric, comparison.over, found.band),
      .x_label = comparison.over,
      .y_label = comparison.metric,
      .log_x = true};
  for (const Curve& curve : found.curves) {
    for (const double x : curve.x) {
      options.log_x = options.log_x && x > 0.0;
      if (std::ranges::find(options.x_ticks, x) == options.x_ticks.end()) options.x_ticks.push_back(x);
    }
  }
  std::vector<std::string> files = {table};
  if (table != path) {
    save_plot(found.curves, found.bands, options, path);
    files.insert(files.begin(), path);
  }
  write_atomically(table, table_of_curves(comparison).csv());
  return files;
}

}  // namespace basin
