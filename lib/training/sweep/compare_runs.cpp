#include "training/sweep/compare_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "config/nearest.h"
#include "config/node.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/sweep/result.h"

namespace basin {
namespace {

constexpr const char* kAbsent = "-";

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

const std::string& value_of(const ComparedRun& run, const std::string& key) {
  static const std::string absent = kAbsent;
  const auto found = run.settings.find(key);
  return found == run.settings.end() ? absent : found->second;
}

/// "seed", "data.labels_seed": what repeats an experiment, and does not change what it is.
bool is_seed(const std::string& key) {
  const std::string last = key.substr(key.rfind('.') + 1);
  return last == "seed" || last.ends_with("_seed");
}

/// Keys in which runs differ, sorted.
std::vector<std::string> differing(const std::vector<ComparedRun>& runs) {
  std::set<std::string> keys;
  for (const ComparedRun& run : runs) {
    for (const auto& [key, value] : run.settings) keys.insert(key);
  }
  std::vector<std::string> found;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(found), [&](const std::string& key) {
    return std::any_of(runs.begin(), runs.end(), [&](const ComparedRun& run) {
      return value_of(run, key) != value_of(runs.front(), key);
    });
  });
  return found;
}

void expect_same_samples(const ComparedRun& first, const ComparedRun& other, const std::string& part) {
  const auto a = first.digests.find(part), b = other.digests.find(part);
  for (const auto& [run, has] :
       {std::pair{&first, a != first.digests.end()}, {&other, b != other.digests.end()}}) {
    if (!has)
      throw Error(
          fmt::format("[compare] expected runs measured on {} samples, received {} without any on record; "
                      "compare by another --metric, name the files that are to be compared, or run it again",
                      part, run->file));
  }
  if (a->second == b->second) return;
  std::vector<std::string> why;
  for (const std::string& key : differing({first, other})) {
    if (key.starts_with("data.") || key == "smoke")
      why.push_back(fmt::format("{} is {} and {}", key, value_of(first, key), value_of(other, key)));
  }
  throw Error(fmt::format(
      "[compare] expected one set of {} samples, received another in {} than in {}: {}", part, other.file,
      first.file,
      why.empty() ? "the files behind [data] have changed" : fmt::format("{}", fmt::join(why, ", "))));
}

std::vector<std::string> values_of(const ComparedRun& run, const std::vector<std::string>& keys) {
  std::vector<std::string> values;
  for (const std::string& key : keys) values.push_back(value_of(run, key));
  return values;
}

/// Whether a key stands in the table of `by` in some runs only, and is the same in all of one value of `by`:
/// "model.forget_bias" goes with model.cell = "lstm", and tells no pairs apart.
bool goes_with(const std::vector<ComparedRun>& runs, const std::string& by, const std::string& key) {
  const auto table_of = [](const std::string& path) { return path.substr(0, path.rfind('.') + 1); };
  if (table_of(key) != table_of(by) || is_seed(key)) return false;
  std::map<std::string, std::string> values;
  bool is_everywhere = true;
  for (const ComparedRun& run : runs) {
    is_everywhere = is_everywhere && run.settings.contains(key);
    const auto [first, is_new] = values.emplace(value_of(run, by), value_of(run, key));
    if (!is_new && first->second != value_of(run, key)) return false;
  }
  return !is_everywhere;
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : kAbsent; }

}  // namespace

std::map<std::string, std::string> settings_of(const Store& results) {
  std::map<std::string, std::string> settings;
  flatten(parse_toml(results.text("/experiment/resolved"), results.source()), "", settings);
  std::erase_if(settings, [](const auto& setting) {
    const std::string path = "." + setting.first;
    return path.starts_with(".results.") || path.find(".expect.") != std::string::npos;
  });
  return settings;
}

ComparedRun ComparedRun::of(const Store& results, const std::string& file) {
  if (results.text("/experiment/status") != "complete")
    throw Error(
        fmt::format("[compare] expected complete runs, received {}, which is not; finish it by basin run "
                    "... --resume",
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
  return run;
}

Comparison compare_runs(const std::vector<ComparedRun>& runs, const CompareOptions& options) {
  if (runs.size() < 2)
    throw Error(fmt::format("[compare] expected at least two results files, received {}", runs.size()));
  const ComparedRun& first = runs.front();
  Comparison found{.metric = options.metric.empty() ? first.telling : options.metric};
  std::vector<std::string> pair_keys;
  for (const std::string& key : differing(runs)) {
    const bool is_compared = options.by.empty() ? !is_seed(key) : key == options.by;
    if (is_compared || options.by.empty() || !goes_with(runs, options.by, key))
      (is_compared ? found.keys : pair_keys).push_back(key);
  }
  if (!options.by.empty() && found.keys.empty()) {
    std::vector<std::string> known;
    for (const auto& [key, value] : first.settings) known.push_back(key);
    if (!first.settings.contains(options.by))
      throw Error(fmt::format("[compare] expected a key of the experiments, received '{}'; {}", options.by,
                              suggestion(options.by, known)));
    found.keys.push_back(options.by);
  }
  const bool on_validation = found.metric.find("validation") != std::string::npos;
  std::vector<std::map<std::vector<std::string>, double>> pairs;
  for (const ComparedRun& run : runs) {
    expect_same_samples(first, run, on_validation || !first.digests.contains("test") ? "validation" : "test");
    const auto result = run.results.find(found.metric);
    if (result == run.results.end()) {
      std::vector<std::string> known;
      for (const auto& [name, value] : run.results) known.push_back(name);
      throw Error(fmt::format("[compare] expected a metric that {} holds, received '{}'; it holds {}",
                              run.file, found.metric, fmt::join(known, ", ")));
    }
    std::vector<std::string> settings = values_of(run, found.keys);
    const auto group = std::find_if(found.groups.begin(), found.groups.end(),
                                    [&](const auto& other) { return other.settings == settings; });
    const auto at = static_cast<std::size_t>(group - found.groups.begin());
    if (group == found.groups.end()) {
      found.groups.push_back({.settings = std::move(settings)});
      pairs.emplace_back();
    }
    found.groups[at].values.push_back(result->second);
    if (!pairs[at].emplace(values_of(run, pair_keys), result->second).second)
      throw Error(fmt::format(
          "[compare] expected runs that differ in a key, received {} with the settings of another; "
          "leave one out",
          run.file));
  }
  for (std::size_t g = 1; g < found.groups.size(); ++g) {
    std::vector<double> a, b;
    for (const auto& [key, value] : pairs[g]) {
      const auto other = pairs[0].find(key);
      if (other == pairs[0].end()) continue;
      a.push_back(other->second);
      b.push_back(value);
    }
    found.groups[g].difference = paired_difference(a, b);
  }
  if (runs.size() == 2 && !runs[0].predictions.empty() && !runs[1].predictions.empty() && !on_validation)
    found.mcnemar = mcnemar(runs[0].labels, runs[0].predictions, runs[1].predictions);
  return found;
}

TextTable Comparison::table() const {
  std::vector<std::string> names = keys;
  for (const char* name : {"mean", "deviation", "n", "difference", "standard_error", "pairs"})
    names.emplace_back(name);
  TextTable table(std::move(names));
  for (const Group& group : groups) {
    std::vector<std::string> row = group.settings;
    const bool is_first = &group == &groups.front();
    row.push_back(number(mean_of(group.values)));
    row.push_back(number(deviation_of(group.values)));
    row.push_back(fmt::format("{}", group.values.size()));
    row.push_back(is_first ? kAbsent : number(group.difference.mean));
    row.push_back(is_first ? kAbsent : number(group.difference.standard_error));
    row.push_back(is_first ? kAbsent : fmt::format("{}", group.difference.pairs));
    table.add(std::move(row));
  }
  return table;
}

}  // namespace basin
