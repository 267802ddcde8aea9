#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "commands.h"
#include "config/config.h"
#include "console.h"
#include "progress.h"
#include "readable.h"
#include "results/environment.h"
#include "results/results_file.h"
#include "results/text_table.h"
#include "revision.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/threads.h"
#include "training/experiment/expected.h"
#include "training/history.h"
#include "training/report/side_by_side.h"
#include "training/sweep/compared_run.h"

namespace basin::program {
namespace {

void print_shapes(const Store& store, const std::string& group) {
  for (const std::string& path : store.list(group)) {
    print(fmt::format("  {:40} {}\n", path, to_string(store.shape(path))));
  }
}

void print_last_metrics(const Store& stage) {
  const History history = History::read(stage);
  const History::Table& table = history.epochs();
  if (table.at.empty()) {
    return;
  }
  print(fmt::format("\nmetrics of epoch {}:\n", table.at.back()));
  for (const auto& [name, column] : table.columns) {
    print(fmt::format("  {:28} {:12.6g}  {}\n", name, column.back(), history.unit(name)));
  }
}

void print_evaluation(const Store& stage) {
  const std::vector<std::string> paths = stage.list("/evaluation");
  if (paths.empty()) {
    return;
  }
  print("\nevaluation:\n");
  for (const std::string& path : paths) {
    const auto* tensor = std::get_if<Tensor>(&stage.entry(path).content);
    if (tensor != nullptr && tensor->size() == 1) {
      print(fmt::format("  {:48} {:14.6f}\n", path, tensor->item()));
    }
  }
}

void print_stage(const std::string& name, const Store& stage) {
  const std::string status = stage.has("/status") ? ", " + stage.text("/status") : "";
  print(fmt::format("\nstage {}: {}{}, {} epochs ({} steps)\n", name, stage.text("/kind"), status,
                    stage.integer("/checkpoint/epoch"), stage.integer("/checkpoint/step")));
  print(fmt::format("objective    {}\n", stage.text("/objective")));
  print(fmt::format("energy       {}\n", fmt::join(stage.texts("/factors"), " + ")));
  const std::vector<std::string> rules = stage.texts("/rules");
  print(fmt::format("rules        {}\n", rules.empty() ? std::string("none (as derived from the energy)")
                                                       : fmt::format("{}", fmt::join(rules, ", "))));
  print("parameters:\n");
  print_shapes(stage, "/parameters");
  print_last_metrics(stage);
  print_evaluation(stage);
  if (const std::string judged = expected_lines(stage); !judged.empty()) print("\n" + judged);
}

std::map<std::string, std::string> origin_of(const Store& store) {
  return {{"status", store.text("/experiment/status")},
          {"revision", store.text("/environment/revision")},
          {"processor", store.text("/environment/processor")},
          {"threads", fmt::format("{}", store.integer("/environment/threads"))},
          {"device", place_of(store)},
          {"data (SHA-256)", store.text("/experiment/data").substr(0, 12)},
          {"training", duration(store.number("/time/train_seconds"))}};
}

int tell_side_by_side(const std::vector<std::string>& files) {
  std::vector<std::map<std::string, std::string>> origins, settings, numbers;
  std::vector<std::string> names = {"", ""};
  for (const std::string& file : files) {
    const Store store = load_results(file);
    origins.push_back(origin_of(store));
    settings.push_back(settings_of(store));
    numbers.push_back(numbers_of(store));
    names.push_back(file);
  }
  TextTable table(names);
  std::size_t equal = 0;
  const auto add = [&](const std::vector<std::map<std::string, std::string>>& said, bool all) {
    for (SideBySideRow& row : side_by_side(said)) {
      equal += !row.differs && !all;
      if (!row.differs && !all) continue;
      std::vector<std::string> cells = {row.differs ? "*" : "", row.name};
      cells.insert(cells.end(), row.cells.begin(), row.cells.end());
      table.add(std::move(cells));
    }
  };
  add(origins, true);
  add(settings, false);
  add(numbers, true);
  print(table.aligned());
  print(fmt::format("{} settings are equal\n", equal));
  return kDone;
}

int tell_machine() {
  std::vector<std::string> libraries;
  for (const auto& [name, version] : library_versions()) libraries.push_back(name + " " + version);
  print(fmt::format("basin        {}\n", revision()));
  print(fmt::format("cpu          {}, {} processors\n", processor_name(), processor_count()));
  print(fmt::format("libraries    {}\n", fmt::join(libraries, ", ")));
  for (const std::string& line : cuda_lines()) print(fmt::format("cuda         {}\n", line));
  return kDone;
}

}  // namespace

const Syntax& info_syntax() {
  static const Syntax syntax = {
      .command = "info",
      .summary =
          "says what a results file holds, or several side by side; without one, what this machine computes "
          "with",
      .positionals = {"[FILE.h5...]"},
      .options = {{"toml", "", "print the experiment alone, with all defaults, ready for basin run"},
                  {"datasets", "", "list every dataset with its shape"}},
      .details =
          "The layout of the file is described in lib/results/LAYOUT.md; h5dump, h5py and MATLAB read it "
          "too.\n"
          "Of several files: what made them, the settings in which they differ, and their numbers; * marks "
          "what differs.",
      .examples = {"basin info results/quickstart.h5", "a summary",
                   "basin info results/quickstart.h5 --toml > again.toml", "the experiment that made it",
                   "basin info results/a.h5 results/b.h5", "two runs side by side", "basin info",
                   "processors, GPUs and libraries, and what is missing for a GPU"}};
  return syntax;
}

int info_command(const Arguments& arguments) {
  if (arguments.positionals().size() > 1) {
    if (arguments.has("toml") || arguments.has("datasets"))
      throw UsageError("[info] expected one file for --toml and --datasets, received several");
    return tell_side_by_side(arguments.positionals());
  }
  const std::string file = arguments.positional(0);
  if (file.empty()) {
    if (arguments.has("toml") || arguments.has("datasets"))
      throw UsageError("[info] expected a file for --toml and --datasets, received none");
    return tell_machine();
  }
  const Store store = load_results(file);
  if (arguments.has("toml")) {
    print(store.text("/experiment/resolved"));
    return kDone;
  }
  if (arguments.has("datasets")) {
    print_shapes(store, "/");
    return kDone;
  }
  const std::string run = store.has("/experiment/file") ? store.text("/experiment/file") : "";
  const Config experiment = Config::parse(store.text("/experiment/resolved"), file);
  print(fmt::format("{}: {}", file, store.text("/experiment/status")));
  if (experiment.table("train").has("epochs")) {
    const Index epochs = experiment.table("train").integer("epochs");
    print(fmt::format(", {} of {} epochs", store.group(stage_group(kOnlyStage)).integer("/checkpoint/epoch"),
                      experiment.boolean("smoke", false) ? std::min<Index>(epochs, 2) : epochs));
  }
  print("\n");
  if (!run.empty()) print(fmt::format("experiment   {}\n", run));
  std::vector<std::string> kinds;
  for (const std::string& name : stage_names(store)) kinds.push_back(store.text(stage_group(name) + "/kind"));
  print(fmt::format("model        {}\n", fmt::join(kinds, ", ")));
  print(fmt::format("data         {}\n", experiment.table("data").text("name")));
  print(fmt::format("seed         {}\n", store.integer("/experiment/seed")));
  std::string origin = fmt::format("made by      basin {} on {}, {} threads, {}\n",
                                   store.text("/environment/revision"), store.text("/environment/processor"),
                                   store.integer("/environment/threads"), place_of(store));
  origin += fmt::format("libraries    {}\n", fmt::join(store.texts("/environment/libraries"), ", "));
  print(in_columns(origin, output_width()));
  print(fmt::format("time         {} of training, {} of evaluation, peak memory {:.0f} MB\n",
                    duration(store.number("/time/train_seconds")),
                    duration(store.number("/time/evaluate_seconds")),
                    store.number("/time/peak_memory") / 1e6));
  for (const std::string& name : stage_names(store)) print_stage(name, store.group(stage_group(name)));
  return kDone;
}

}  // namespace basin::program
