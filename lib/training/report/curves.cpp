#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "results/results_file.h"
#include "training/history.h"
#include "training/report/sections.h"

namespace basin::report_sections {
namespace {

constexpr std::size_t kMostLines = 40;  // of a chart

/// How a metric's name begins and ends without the samples that it was measured on: "error" of
/// "validation_error", "pseudo_likelihood" of "pseudo_likelihood_test", "nmse" of "nmse_test_16".
struct MetricName {
  std::string base;
  std::size_t dash = 0;  // of samples for training 1, for tests 2
};

MetricName parse(const std::string& metric) {
  MetricName name;
  std::istringstream words(metric);
  bool is_numbered = false;
  for (std::string word; std::getline(words, word, '_');) {
    const bool is_test = word == "test", is_train = word == "train";
    if (is_test || is_train || word == "validation") {
      name.dash = is_test ? 2 : is_train ? 1 : 0;
      is_numbered = true;
      continue;
    }
    if (is_numbered && word.find_first_not_of("0123456789") == std::string::npos) continue;
    name.base += (name.base.empty() ? "" : "_") + word;
  }
  return name;
}

struct Drawn {
  Chart chart;
  std::size_t rank = 0, left_out = 0;
};

/// The charts of a stage of all runs that have it, those that say most first.
std::vector<Drawn> charts_of(const std::string& stage, const Runs& runs) {
  std::map<std::string, Drawn> charts;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].results.has(stage_group(stage) + "/metrics")) continue;
    const History history = History::read(runs[i].results.group(stage_group(stage)));
    const History::Table& table = history.epochs();
    const std::vector<std::string> kinds = telling_kinds(table);
    const std::vector<double> epochs(table.at.begin(), table.at.end());
    for (const auto& [column_name, column] : table.columns) {
      const std::string& metric = column_name;  // clang 14 lets no lambda capture a part of a binding
      if (std::ranges::none_of(column, [](double y) { return std::isfinite(y); })) continue;
      const MetricName name = parse(metric);
      const auto [place, is_new] = charts.try_emplace(name.base);
      Drawn& drawn = place->second;
      const auto kind = std::ranges::find_if(kinds, [&](const auto& k) { return metric.starts_with(k); });
      const auto rank = static_cast<std::size_t>(kind - kinds.begin()) + (kind == kinds.end() ? 100 : 0);
      drawn.rank = is_new ? rank : std::min(rank, drawn.rank);
      const std::string unit = history.unit(metric);
      drawn.chart.title = name.base;
      drawn.chart.x_label = "epoch";
      drawn.chart.y_label = unit == "1" ? name.base : unit;
      if (drawn.chart.lines.size() == kMostLines) {
        ++drawn.left_out;
        continue;
      }
      drawn.chart.lines.push_back(
          {.label = runs.size() == 1 ? metric : fmt::format("{}: {}", runs[i].name, metric),
           .x = epochs,
           .y = column,
           .colour = runs.size() == 1 ? drawn.chart.lines.size() : i,
           .dash = name.dash});
    }
  }
  std::vector<Drawn> sorted;
  for (auto& [base, drawn] : charts) sorted.push_back(std::move(drawn));
  std::ranges::stable_sort(sorted, {}, &Drawn::rank);
  return sorted;
}

}  // namespace

void curves(Page& page, const Runs& runs) {
  std::vector<std::string> stages;
  for (const ReportedRun& run : runs) {
    for (const std::string& stage : stage_names(run.results)) {
      if (std::ranges::find(stages, stage) == stages.end()) stages.push_back(stage);
    }
  }
  bool is_first = true;
  for (const std::string& stage : stages) {
    std::vector<Chart> first, others;
    std::size_t left_out = 0;
    for (Drawn& drawn : charts_of(stage, runs)) {
      left_out = std::max(left_out, drawn.left_out);
      (drawn.rank < 100 ? first : others).push_back(std::move(drawn.chart));
    }
    if (first.empty() && others.empty()) continue;
    if (is_first) {
      page.section("Curves").paragraph(
          "Full lines are of validation samples and of what is measured on none in particular, dashed ones "
          "of training samples, dotted ones of test samples. The legend reads off the values below the "
          "pointer; a click on a name hides its curve; drag to zoom, double click to go back.");
      is_first = false;
    }
    if (stage != kOnlyStage) page.heading(stage == "head" ? "The head" : fmt::format("Stage {}", stage));
    page.charts(first);
    if (!others.empty()) page.fold("Other metrics of epochs").charts(others).unfold();
    if (left_out > 0)
      page.paragraph(
          fmt::format("Charts show {} curves at most; {} more are left out.", kMostLines, left_out));
  }
}

}  // namespace basin::report_sections
