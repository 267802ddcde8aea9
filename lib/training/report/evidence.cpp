#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/results_file.h"
#include "results/statistics.h"
#include "training/measures/measure.h"
#include "training/report/expected_best.h"
#include "training/report/sections.h"

namespace basin::report_sections {
namespace {

std::string number_or_dash(const Store& store, const std::string& path, const char* format = "{:.2f}") {
  return store.has(path) ? fmt::format(fmt::runtime(format), store.number(path)) : "-";
}

}  // namespace

void likelihoods(Page& page, const Runs& runs) {
  TextTable table({"run", "estimate", "log Z", "3 standard errors", "log-likelihood, training", "test",
                   "effective samples", "of chains"});
  std::vector<std::string> between;
  std::size_t rows = 0;
  for (const ReportedRun& run : runs) {
    for (const std::string& name : stage_names(run.results)) {
      const Store stage = run.results.group(stage_group(name));
      const std::string of = name == kOnlyStage ? run.name : fmt::format("{}, {}", run.name, name);
      for (const char* estimate : {"exact", "forward", "reverse"}) {
        const std::string at = fmt::format("/evaluation/{}", estimate);
        if (!stage.has(at + "/log_partition")) continue;
        const bool has_ends = stage.has(at + "/log_partition_low");
        table.add({of, estimate, number_or_dash(stage, at + "/log_partition"),
                   has_ends ? fmt::format("{} to {}", number_or_dash(stage, at + "/log_partition_low"),
                                          number_or_dash(stage, at + "/log_partition_high"))
                            : "-",
                   number_or_dash(stage, at + "/train_log_likelihood"),
                   number_or_dash(stage, at + "/test_log_likelihood"),
                   number_or_dash(stage, at + "/effective_samples", "{:.1f}"),
                   stage.has(at + "/log_weights")
                       ? fmt::format("{}", element_count(stage.shape(at + "/log_weights")))
                       : "-"});
        ++rows;
      }
      const std::string forward = "/evaluation/forward/test_log_likelihood",
                        reverse = "/evaluation/reverse/test_log_likelihood";
      if (stage.has(forward) && stage.has(reverse)) {
        const double high = stage.number(forward), low = stage.number(reverse);
        between.push_back(fmt::format(
            "{}: forward {:.2f}, reverse {:.2f} nats a test sample{}.", of, high, low,
            low > high
                ? ", the reverse one above the forward one: chance, or start chains that have not mixed"
                : ""));
      }
    }
  }
  if (rows == 0) return;
  page.section("Likelihood")
      .paragraph(
          "In nats a sample. Annealed importance sampling from the base model finds a log Z that is too low "
          "on average, and so a likelihood that is too high; run backwards it errs the other way, as far as "
          "the chains that it starts from have mixed. Neither is a bound.");
  page.table(table);
  for (const std::string& line : between) page.paragraph(line);
}

void trials(Page& page, const Runs& runs) {
  Chart chart{.title = "best of k trials", .x_label = "trials", .y_label = "", .lines = {}};
  std::vector<std::string> about;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Store& results = runs[i].results;
    if (!results.has("/select")) continue;
    const std::string metric = results.text("/select/metric");
    const std::vector<double> means = results.numbers("/select/mean");
    const std::int64_t chosen = results.integer("/select/chosen");
    const bool rises = find_metric(metric).better == Better::Up;
    const std::vector<double> best = expected_best(means, rises);
    chart.y_label = chart.y_label.empty() || chart.y_label == metric ? metric : "metric";
    std::vector<double> k(best.size());
    std::iota(k.begin(), k.end(), 1.0);
    chart.lines.push_back(
        {.label = fmt::format("{}: {}", runs[i].name, metric), .x = k, .y = best, .colour = i});
    about.push_back(fmt::format("{}: trial {} of {} was chosen, {} = {:.6g}: {}", runs[i].name, chosen + 1,
                                means.size(), metric, means.at(static_cast<std::size_t>(chosen)),
                                results.texts("/select/settings").at(static_cast<std::size_t>(chosen))));
  }
  if (chart.lines.empty()) return;
  page.section("Selection by validation samples")
      .paragraph(
          "What the best of k trials would be on average, had they been tried in any other order (Dodge et "
          "al. 2019, \"Show your work\"): where it still improves on the right, more trials might have found "
          "better settings.");
  page.charts({chart});
  for (const std::string& line : about) page.paragraph(line);
}

void fine_tuning(Page& page, const Runs& runs) {
  TextTable layers({"run", "layer", "activations off", "activations on", "units that never change"});
  TextTable moved({"run", "parameter", "norm at the start", "moved by", "of the norm"});
  bool is_any = false;
  for (const ReportedRun& run : runs) {
    for (const std::string& name : stage_names(run.results)) {
      const Store own = run.results.group(stage_group(name) + "/fine_tune");
      if (!own.has("/parameter")) continue;
      is_any = true;
      const std::vector<std::string> layer = own.texts("/layer"), parameter = own.texts("/parameter");
      const std::vector<double> off = own.numbers("/off"), on = own.numbers("/on"),
                                constant = own.numbers("/constant"), norm = own.numbers("/norm"),
                                distance = own.numbers("/moved");
      const auto percent = [](double share) {
        return std::isnan(share) ? "-" : fmt::format("{:.1f} %", 100.0 * share);
      };
      for (std::size_t i = 0; i < layer.size(); ++i)
        layers.add({run.name, layer[i], percent(off.at(i)), percent(on.at(i)), percent(constant.at(i))});
      for (std::size_t i = 0; i < parameter.size(); ++i) {
        const bool is_zero = norm.at(i) == 0.0;
        moved.add({run.name, parameter[i], fmt::format("{:.4g}", norm[i]),
                   fmt::format("{:.4g}", distance.at(i)), is_zero ? "-" : percent(distance[i] / norm[i])});
      }
    }
  }
  if (!is_any) return;
  page.section("What fine-tuning began with, and did");
  page.paragraph(
      "How the layers stood when the labels came in: the share of all activations, of the first 1,000 "
      "samples, at the lower and at the upper end of what a unit can say, where slopes vanish, and of units "
      "that say the same of every sample. Pretraining that saturates a layer leaves fine-tuning little to "
      "work with.");
  page.table(layers);
  page.paragraph(
      "How far fine-tuning went from there: the norm of the change beside that of what was changed. Little "
      "in low layers means that they were kept as pretraining, or chance, had made them.");
  page.table(moved);
}

}  // namespace basin::report_sections
