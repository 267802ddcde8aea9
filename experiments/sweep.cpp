#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "commands.h"
#include "console.h"
#include "device_option.h"
#include "interrupt.h"
#include "results/compare.h"
#include "results/files/atomic_file.h"
#include "results/results_file.h"
#include "results/statistics.h"
#include "results/text_table.h"
#include "tasks.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/experiment/expected.h"
#include "training/experiment/output.h"
#include "training/sweep/result.h"

namespace basin::program {
namespace {

/// One call of the command.
class SweepCommand {
 public:
  explicit SweepCommand(const Arguments& arguments);
  int run();

 private:
  std::vector<Task> tasks_of(std::vector<SweepRun> runs) const;
  bool run_all(std::vector<Task>& tasks, const Look& look);
  /// Prints the table of tasks and writes it to FOLDER/NAME.csv.
  void report(const std::vector<Task>& tasks, const std::string& name, const std::vector<std::string>& keys);
  std::vector<Trial> trials_of(const std::vector<Task>& tasks) const;
  /// The runs with the settings of the trial that was chosen among some; says which it is.
  std::vector<SweepRun> finals_of(const std::vector<Trial>& trials, std::size_t chosen) const;
  /// The runs with the settings of the best trials. False when somebody asked to stop.
  bool retrain(const std::vector<Task>& tasks);

  std::string folder_;
  SweepFile file_;
  TaskOptions options_;
  std::shared_ptr<FileLock> lock_;
  Board board_;
  std::size_t failed_ = 0, all_ = 0;
  std::vector<std::string> missed_;  // files in which a number is not where it is expected
};

std::vector<std::string> settings_of(const Arguments& arguments) {
  std::vector<std::string> settings = arguments.texts("set");
  if (arguments.has("smoke")) settings.emplace_back("smoke=true");
  return settings;
}

/// Settings that say what is tried: neither the seed nor what every trial has.
bool is_tried(const Setting& setting) { return setting.path != kSeed && setting.path != kTestUse; }

SweepCommand::SweepCommand(const Arguments& arguments)
    : folder_(arguments.text("out").value_or(
          fmt::format("results/{}_sweep{}", std::filesystem::path(arguments.positional(0)).stem().string(),
                      arguments.has("smoke") ? "_smoke" : ""))),
      file_(arguments.positional(0), settings_of(arguments)),
      options_{.toml = arguments.positional(0), .settings = settings_of(arguments)},
      board_(arguments.has("quiet")) {
  options_.jobs = arguments.integer("jobs", 1).value_or(1);
  const std::int64_t threads = arguments.integer("threads", 1).value_or(thread_count());
  options_.threads = std::max<std::int64_t>(1, threads / options_.jobs);
  options_.flags = device_words(arguments);
  if (arguments.has("no-cache")) options_.flags.emplace_back("--no-cache");
  lock_ = claim_output(folder_ + "/sweep.csv", [&](const std::string& line) { board_.say(line); });
}

std::vector<Task> SweepCommand::tasks_of(std::vector<SweepRun> runs) const {
  std::vector<Task> tasks;
  for (SweepRun& run : runs) {
    const std::string file = fmt::format("{}/{}.h5", folder_, run.name);
    tasks.push_back({.run = std::move(run), .file = file});
  }
  return tasks;
}

bool SweepCommand::run_all(std::vector<Task>& tasks, const Look& look) {
  const bool is_done = run_tasks(tasks, options_, board_, look);
  all_ += tasks.size();
  failed_ += static_cast<std::size_t>(std::ranges::count(tasks, Task::Status::Failed, &Task::status));
  return is_done;
}

void SweepCommand::report(const std::vector<Task>& tasks, const std::string& name,
                          const std::vector<std::string>& keys) {
  std::string metric = file_.selection() && name == "sweep" ? file_.selection()->metric : "";
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::vector<double>> values;  // over seeds, by the other keys
  for (const Task& task : tasks) {
    std::vector<std::string> row;
    std::string others;
    for (const std::string& key : keys) {
      const auto found = std::ranges::find(task.run.settings, key, &Setting::path);
      row.push_back(found == task.run.settings.end() ? "-" : found->short_value());
      if (key != kSeed) others += fmt::format("{}={} ", key, row.back());
    }
    std::string number = "-";
    if (task.status == Task::Status::Complete) {
      const Store results = load_results(task.file);
      if (!missed_numbers(results).empty()) missed_.push_back(task.file);
      if (metric.empty()) metric = telling_result(results);
      if (const auto found = find_result(results, metric)) {
        values[others].push_back(found->value);
        number = fmt::format("{:.6g}", found->value);
      }
    }
    row.push_back(task.status == Task::Status::Complete ? "complete"
                  : task.status == Task::Status::Failed ? "failed: " + task.failure
                                                        : "incomplete");
    row.push_back(number);
    row.push_back(task.file);
    rows.push_back(std::move(row));
  }
  std::vector<std::string> names = keys;
  for (const std::string& last :
       {std::string("status"), metric.empty() ? "metric" : metric, std::string("file")})
    names.push_back(last);
  TextTable table(std::move(names));
  for (std::vector<std::string>& row : rows) table.add(std::move(row));
  const std::string path = fmt::format("{}/{}.csv", folder_, name);
  write_atomically(path, table.csv());
  print(table.aligned());
  for (const auto& [others, own] : values) {
    if (name != "sweep" && own.size() > 1)
      print(fmt::format("{}{} {:.6g}, deviation {:.6g}, {} seeds\n", others, metric, mean_of(own),
                        deviation_of(own), own.size()));
  }
  print(fmt::format("table        {}\n", path));
}

std::vector<Trial> SweepCommand::trials_of(const std::vector<Task>& tasks) const {
  std::vector<Trial> trials;
  for (const Task& task : tasks) {
    Settings settings;
    std::ranges::copy_if(task.run.settings, std::back_inserter(settings), is_tried);
    auto trial = std::ranges::find(trials, text_of(settings),
                                   [](const Trial& other) { return text_of(other.settings); });
    if (trial == trials.end()) trial = trials.insert(trial, Trial{.settings = std::move(settings)});
    if (task.status == Task::Status::Complete)
      trial->add(load_results(task.file), *file_.selection());
    else
      trial->failure = task.failure;
  }
  return trials;
}

std::vector<SweepRun> SweepCommand::finals_of(const std::vector<Trial>& trials, std::size_t chosen) const {
  const Selection& selection = *file_.selection();
  const Trial& best = trials[chosen];
  const std::string spread =
      best.values.size() < 2
          ? ""
          : fmt::format(", deviation {:.6g}, {} seeds", deviation_of(best.values), best.values.size());
  print(fmt::format("chosen       {}: {} {:.6g}{}\n", text_of(best.settings), selection.metric,
                    mean_of(best.values), spread));
  Settings settings = best.settings;
  if (selection.retrain == Selection::Retrain::All) {
    settings.push_back({"data.validation", Node::of(std::int64_t{0})});
    for (Setting& setting : chosen_epochs(best)) settings.push_back(std::move(setting));
  }
  settings.push_back({kTestUse, Node::of(std::string("end"))});
  std::string called = "selected_";
  for (const Setting& each : settings_of_each(trials, selection))
    called += fmt::format("{}-{}_", each.path.substr(each.path.rfind('.') + 1), each.short_value());
  std::vector<SweepRun> runs;
  for (const std::int64_t seed : selection.seeds) {
    Settings own = settings;
    own.push_back({kSeed, Node::of(seed)});
    runs.push_back(file_.run(std::move(own), fmt::format("{}seed-{}", called, seed)));
  }
  return runs;
}

bool SweepCommand::retrain(const std::vector<Task>& tasks) {
  const Selection& selection = *file_.selection();
  if (const auto killed = std::ranges::count(tasks, true, &Task::was_killed); killed > 0)
    throw Error(
        fmt::format("{}: expected every trial to come to its end, received {} that were killed; the same "
                    "command goes on with them",
                    selection.place, killed));
  const std::vector<Trial> trials = trials_of(tasks);
  if (const auto failed =
          std::ranges::count_if(trials, [](const Trial& trial) { return !trial.failure.empty(); });
      failed > 0)
    print(fmt::format("left out     {} of {} choices, a run of which failed\n", failed, trials.size()));
  const std::vector<std::vector<Trial>> choices = choices_of(trials, selection);
  std::vector<std::size_t> chosen;
  for (const std::vector<Trial>& choice : choices) chosen.push_back(best_trial(choice, selection));
  std::vector<SweepRun> runs;
  for (std::size_t i = 0; i < choices.size(); ++i)
    std::ranges::move(finals_of(choices[i], chosen[i]), std::back_inserter(runs));
  std::vector<Task> finals = tasks_of(std::move(runs));
  if (!run_all(finals, {})) return false;
  for (std::size_t k = 0; k < finals.size(); ++k) {
    if (finals[k].status != Task::Status::Complete) continue;
    Store results = load_results(finals[k].file);
    Store with = results;
    const std::size_t i = k / selection.seeds.size();
    write_selection(with, selection, choices[i], chosen[i]);
    if (!differences(results, with).empty()) with.save(finals[k].file);
  }
  std::vector<std::string> keys = selection.each;
  keys.emplace_back(kSeed);
  report(finals, "selected", keys);
  return true;
}

int SweepCommand::run() {
  catch_interrupts([] { return "basin: interrupted; the same command goes on\n"; });
  std::vector<Task> tasks = tasks_of(file_.runs());
  const auto& selection = file_.selection();
  // A metric that nobody measures is known by the first trial, not by the last.
  const auto look = [&](const Store& results) {
    if (selection) Trial().add(results, *selection);
  };
  bool is_done = run_all(tasks, look);
  report(tasks, "sweep", file_.varied());
  if (is_done && selection) is_done = retrain(tasks);
  if (!is_done) {
    tell("basin: interrupted; the same command goes on\n");
    return kInterrupted;
  }
  if (failed_ > 0)
    throw Error(
        fmt::format("[sweep] {} of {} runs failed, for reasons in {}; the same command tries them again",
                    failed_, all_, folder_));
  if (missed_.empty()) return kDone;
  tell(fmt::format("basin: [expect] in {} of {} runs a number is not where the experiment expects it: {}\n",
                   missed_.size(), all_, fmt::join(missed_, ", ")));
  return kMissed;
}

}  // namespace

const Syntax& sweep_syntax() {
  static const Syntax syntax = {
      .command = "sweep",
      .summary = "runs an experiment file once for each choice of settings in its [sweep]",
      .positionals = {"FILE.toml"},
      .options = {{"jobs", "N", "runs at a time, each a process of its own; default: 1"},
                  {"threads", "N", "threads of all runs together; default: all cores"},
                  {"out", "DIR", "folder of the results; default: results/<name of FILE>_sweep"},
                  {"set", "KEY=VALUE", "change a key of the file for all runs (several may follow)", true},
                  {"smoke", "", "few samples, two epochs: does every run of the file run at all?"},
                  {"no-cache", "", "of several stages: neither read nor write results/cache"},
                  {"quiet", "", "no progress"}},
      .details =
          "All runs are checked before the first starts. Each writes DIR/<settings>-<hash of all "
          "settings>.h5; the table of them is DIR/sweep.csv. The same command again goes on: what is "
          "complete is not run again, what is not goes on from its checkpoint, what failed is tried again. "
          "A run that fails leaves its reason in the table, and the exit code is 1.\nWith [select], the "
          "settings that are the best on validation samples are trained again, once for each of its seeds, "
          "and measured on the test samples, which no other run sees: DIR/selected.csv. The keys of both "
          "tables: experiments/README.md.",
      .examples = {"basin sweep my.toml --jobs 2", "two runs at a time",
                   "basin compare results/my_sweep --by protocol", "what came of it"},
      .computes = true};
  return syntax;
}

int sweep_command(const Arguments& arguments) { return SweepCommand(arguments).run(); }

}  // namespace basin::program
