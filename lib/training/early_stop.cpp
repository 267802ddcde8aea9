#include "training/early_stop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <vector>

#include "config/nearest.h"
#include "config/reader.h"
#include "tensor/error.h"

namespace basin {

Index best_epoch(const History& history, const EarlyStop& stop) {
  const History::Table& table = history.epochs();
  if (table.at.empty()) return 0;
  const auto found = table.columns.find(stop.metric);
  if (found == table.columns.end()) {
    std::vector<std::string> measured;
    for (const auto& [name, column] : table.columns) measured.push_back(name);
    throw Error(fmt::format("[stop] expected a metric of every epoch, received '{}'; {} were measured{}",
                            stop.metric, fmt::join(measured, ", "),
                            stop.metric.find("validation") == std::string::npos
                                ? ""
                                : "; validation samples are set apart by data.validation"));
  }
  Index best = 0;
  double least = 0.0;
  for (std::size_t i = 0; i < table.at.size(); ++i) {
    const double cost = stop.better == Better::Up ? -found->second[i] : found->second[i];
    if (!std::isfinite(cost) || (best != 0 && cost >= least)) continue;
    best = table.at[i];
    least = cost;
  }
  return best;
}

bool is_over(const History& history, const EarlyStop& stop) {
  const History::Table& table = history.epochs();
  if (stop.after > 0) return !table.at.empty() && table.at.back() >= stop.after;
  return stop.patience > 0 && !table.at.empty() &&
         table.at.back() - best_epoch(history, stop) >= stop.patience;
}

std::optional<EarlyStop> read_early_stop(const Config& table) {
  const bool has_keep = table.has("keep");
  if (!table.has("stop") || table.table("stop").keys().empty()) {
    if (has_keep && table.choice("keep", {"last", "best"}) == "best")
      table.fail("keep",
                 "expected the metric by which parameters are the best; add stop = { metric = \"...\" }");
    return std::nullopt;
  }
  const Reader in(table.table("stop"));
  if (in.table().has("after")) {
    if (has_keep && table.choice("keep", {"last", "best"}) == "best")
      table.fail("keep", "expected \"last\" where training ends after a number of epochs; remove keep");
    return EarlyStop{.after = in.count("after", 1)};
  }
  EarlyStop stop{.metric = in.table().text("metric"), .patience = in.count("patience", 0, 0)};
  stop.keep = table.choice("keep", {"last", "best"}, "best") == "best" ? Keep::Best : Keep::Last;
  stop.better = find_metric(stop.metric).better;
  if (stop.better == Better::Neither) {
    in.table().fail(
        "metric",
        fmt::format("expected a metric of epochs of which more or less is better, received '{}'; {}",
                    stop.metric, suggestion(stop.metric, directed_metrics())));
  }
  if (!is_of(stop.metric, "validation")) {
    in.table().fail("metric", fmt::format("expected a metric of validation samples, received '{}': the {} "
                                          "samples choose nothing; set data.validation, and take one such as "
                                          "\"validation_error\"",
                                          stop.metric, is_of(stop.metric, "test") ? "test" : "training"));
  }
  if (stop.keep == Keep::Last && stop.patience == 0)
    in.table().fail("patience",
                    "expected at least 1 where keep = \"last\", received 0, by which nothing stops");
  return stop;
}

}  // namespace basin
