#include "training/sweep/compared_run.h"

#include <fmt/format.h>

#include "config/config.h"
#include "config/node.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/sweep/result.h"

namespace basin {
namespace {

void flatten(const Node& node, const std::string& path, std::map<std::string, std::string>& settings) {
  const bool has_children = !node.children.empty() && (node.is_table() || node.is_array_of_tables());
  if (!has_children) {
    settings[path] = node.kind == Node::Kind::Text ? node.text : format_value(node);
    return;
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    const Node* name = child.find("name");
    const std::string step = node.is_table()   ? child.key
                             : name != nullptr ? name->text
                                               : fmt::format("{}", i);
    flatten(child, path.empty() ? step : path + "." + step, settings);
  }
}

Budget budget_of(const Store& results) {
  Budget budget{.seconds = train_seconds(results), .updates = 0.0};
  for (const std::string& stage : stage_names(results)) {
    const std::string step = stage_group(stage) + "/checkpoint/step";
    budget.updates += results.has(step) ? static_cast<double>(results.integer(step)) : Budget::kUnknown;
  }
  if (results.has("/select/settings"))
    budget.trials = static_cast<std::int64_t>(results.texts("/select/settings").size());
  if (results.has("/time/select_seconds")) budget.trial_seconds = results.number("/time/select_seconds");
  return budget;
}

}  // namespace

std::map<std::string, std::string> settings_of(const Store& results) {
  std::map<std::string, std::string> settings;
  flatten(parse_toml(results.text("/experiment/resolved"), results.source()), "", settings);
  std::erase_if(settings, [](const auto& setting) {
    const std::string path = "." + setting.first;
    return path.starts_with(".results.") || path.starts_with(".compare.") ||
           path.find(".expect.") != std::string::npos;
  });
  return settings;
}

ComparedRun ComparedRun::of(const Store& results, const std::string& file) {
  if (results.text("/experiment/status") != "complete")
    throw Error(fmt::format(
        "[compare] expected complete runs, received {}, which is not; finish it by basin run ... --resume",
        file));
  ComparedRun run{.file = file};
  run.settings = settings_of(results);
  for (const std::string& name : result_names(results)) run.results[name] = find_result(results, name)->value;
  run.telling = telling_result(results);
  for (const char* part : {"test", "validation"}) {
    const std::string path = fmt::format("/experiment/{}_data", part);
    if (results.has(path)) run.digests[part] = results.text(path);
  }
  const std::string evaluation = stage_group(stage_names(results).back()) + "/evaluation";
  if (results.has(evaluation + "/test_predictions")) {
    run.predictions = results.integers(evaluation + "/test_predictions");
    run.labels = results.integers(evaluation + "/test_labels");
  }
  if (results.has(evaluation + "/test_sequence_nats")) {
    run.sequence_nats = results.numbers(evaluation + "/test_sequence_nats");
    run.sequence_steps = results.numbers(evaluation + "/test_sequence_steps");
  }
  const Config experiment = Config::parse(results.text("/experiment/resolved"), file);
  if (experiment.has("compare")) run.planned = read_compare_options(experiment.table("compare"));
  run.budget = budget_of(results);
  return run;
}

ExampleNumbers ComparedRun::examples(const std::string& metric) const {
  const auto expect_some = [&](bool are_there, const char* what) {
    if (!are_there)
      throw Error(
          fmt::format("[compare] expected {} on record, which a bootstrap draws from, received {} without; "
                      "run it again, or take test = \"paired_t\"",
                      what, file));
  };
  if (metric == "test_error" || metric == "sequence_error_test") {
    expect_some(!predictions.empty(), "predictions of the test samples");
    ExampleNumbers numbers;
    for (std::size_t n = 0; n < labels.size(); ++n)
      numbers.values.push_back(labels[n] == predictions[n] ? 0.0 : 1.0);
    return numbers;
  }
  if (metric == "step_nats_test") {
    expect_some(!sequence_nats.empty(), "nats of each test sequence");
    return {.values = sequence_nats, .weights = sequence_steps};
  }
  throw Error(
      fmt::format("[compare] expected a metric whose numbers of each test sample are stored (test_error, "
                  "step_nats_test) for a bootstrap, received {}; take test = \"paired_t\"",
                  metric));
}

}  // namespace basin
