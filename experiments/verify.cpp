#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "console.h"
#include "device_option.h"
#include "progress.h"
#include "results/compare.h"
#include "results/files/temporary_folder.h"
#include "results/files/unfinished.h"
#include "results/results_file.h"
#include "revision.h"
#include "tensor/error.h"
#include "training/experiment/experiment.h"
#include "training/experiment/restored.h"

namespace basin::program {
namespace {

/// `beside`: what stands in a file beside what the run made.
int compare(const Store& first, const Store& second, const std::string& name, const std::string& other,
            const std::vector<std::string>& beside = {}) {
  std::vector<std::string> ignored = {"/time", "/environment", "/experiment/given", "/experiment/file"};
  ignored.insert(ignored.end(), beside.begin(), beside.end());
  const std::vector<std::string> lines = differences(first, second, ignored);
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i) {
    print(fmt::format("  {}\n", lines[i]));
  }
  if (!lines.empty()) {
    for (const std::string& line : differences(first, second, {"/time", "/experiment", "/stages"})) {
      print(fmt::format("  note: {}\n", line));
    }
    throw Error(fmt::format("[verify] {} and {} differ in {} datasets", name, other, lines.size()));
  }
  print(fmt::format("{} and {} hold the same results, bit for bit\n", name, other));
  return kDone;
}

/// What a run does not make again: which settings were selected, that it went on for longer, and evaluations
/// that were made and saved later; says so.
std::vector<std::string> kept_beside(const Store& store) {
  std::vector<std::string> beside = {"/select"};
  if (constexpr const char* kLengthened = "/experiment/lengthened"; store.has(kLengthened)) {
    beside.emplace_back(kLengthened);
    print(
        "  note: it was trained for longer than it was begun with; one run of the whole equals it where "
        "neither the learning rate nor averages go by the length\n");
  }
  for (const std::string& name : stage_names(store)) {
    const std::string evaluation = stage_group(name) + "/evaluation";
    if (!store.has(evaluation + "/saved_with")) continue;
    beside.push_back(evaluation);
    print(fmt::format("  note: {} was measured again and saved: not compared\n", evaluation));
  }
  return beside;
}

}  // namespace

const Syntax& verify_syntax() {
  static const Syntax syntax = {
      .command = "verify",
      .summary = "runs what a results file says again and compares the results bit for bit",
      .positionals = {"FILE.h5"},
      .options = {{"against", "G.h5", "compare with this results file instead of running again"},
                  {"threads", "N", "run again with so many threads; default: those of the file"},
                  {"quiet", "", "no progress"}},
      .details =
          "Wall times, and the record of the machine, may differ; everything else must not. Equality is "
          "promised on the same machine "
          "with the same number of threads.",
      .examples = {"basin verify results/quickstart.h5", "is it reproducible?",
                   "basin verify a.h5 --against b.h5", "do two files hold the same?"},
      .computes = true};
  return syntax;
}

int verify_command(const Arguments& arguments) {
  const std::string file = arguments.positional(0);
  const Store store = load_results(file);
  if (const auto other = arguments.text("against")) {
    return compare(store, load_results(*other), file, *other);
  }
  const Plan plan = plan_of(store);
  if (store.text("/experiment/status") != "complete") {
    throw Error(fmt::format("[verify] {} is not complete; finish it by basin run ... --resume", file));
  }
  const Unfinished folder(make_temporary_folder("verify")), again(folder.path() + "/again.h5");
  RunOptions options;
  options.file = again.path();
  options.device = device_of(arguments, store);
  options.threads = arguments.integer("threads", 1).value_or(store.integer("/environment/threads"));
  options.pictures = false;
  options.revision = revision();
  if (store.has("/experiment/data")) options.data = store.text("/experiment/data");
  if (store.has("/experiment/file")) options.experiment = store.text("/experiment/file");

  Progress progress(arguments.has("quiet"));
  RunHooks hooks;
  hooks.step = [&](const FitReport& report) {
    progress.step(report);
    return true;
  };
  hooks.say = [&](const std::string& line) { progress.say(line); };
  const RunResult result = run_experiment(plan, options, hooks);
  return compare(store, result.store, file, "its second run", kept_beside(store));
}

}  // namespace basin::program
