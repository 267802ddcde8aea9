#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "commands.h"
#include "console.h"
#include "device_option.h"
#include "epoch_log.h"
#include "interrupt.h"
#include "progress.h"
#include "readable.h"
#include "results/environment.h"
#include "results/results_file.h"
#include "revision.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/threads.h"
#include "training/experiment/checked_gradients.h"
#include "training/experiment/experiment.h"
#include "training/sweep/sweep.h"

namespace basin::program {
namespace {

/// The device of the file to resume, so that "resume" needs no other flag than the run had.
Device device_of_run(const Arguments& arguments, const std::string& file) {
  const bool goes_on = arguments.has("resume") && std::filesystem::exists(file);
  return goes_on ? device_of(arguments, load_results(file)) : device_of(arguments);
}

std::string default_file(const std::string& toml, bool smoke) {
  return "results/" + std::filesystem::path(toml).stem().string() + (smoke ? "_smoke.h5" : ".h5");
}

/// When a file was written last; nothing where there is none.
std::optional<std::filesystem::file_time_type> last_written(const std::string& file) {
  std::error_code failed;
  const auto time = std::filesystem::last_write_time(file, failed);
  return failed ? std::nullopt : std::optional(time);
}

constexpr const char* kNoCheckpoint =
    "basin: interrupted before a checkpoint was written; the same command begins anew\n";

std::string goes_on_from(const std::string& file) {
  return fmt::format("basin: interrupted; the checkpoint is in {}, go on by the same command with --resume\n",
                     file);
}

void print_summary(const RunResult& result, const Arguments& arguments) {
  if (result.was_complete) {
    print(fmt::format("{} is complete already: nothing to resume\n", result.file));
    return;
  }
  print(in_columns(result.report, output_width()));
  if (!arguments.has("quiet")) {
    const double rate =
        result.train_seconds > 0.0 ? static_cast<double>(result.train_samples) / result.train_seconds : 0.0;
    const double on_device = static_cast<double>(cuda_memory().peak);
    print(fmt::format("trained      {} ({:.0f} samples/s), {} threads, peak memory {:.0f} MB{}\n",
                      duration(result.train_seconds), rate, thread_count(),
                      static_cast<double>(peak_memory()) / 1e6,
                      on_device == 0.0 ? "" : fmt::format(", on the GPU {:.0f} MB", on_device / 1e6)));
  }
  print(fmt::format("results      {}\n", result.file));
  for (const std::string& picture : result.pictures) {
    print(fmt::format("picture      {}\n", picture));
  }
}

}  // namespace

const Syntax& run_syntax() {
  static const Syntax syntax = {
      .command = "run",
      .summary = "trains, evaluates and draws what an experiment file says, into one results file",
      .positionals = {"FILE.toml"},
      .options = {{"set", "KEY=VALUE",
                   "change a key of the file, as in train.epochs=5 (TOML syntax; several may follow)", true},
                  {"seed", "N", "the same as --set seed=N"},
                  {"threads", "N", "threads to compute with; default: all cores"},
                  {"out", "F",
                   "results file; default: results.file of the experiment, else results/<name of FILE>.h5"},
                  {"resume", "",
                   "go on from the last checkpoint in the results file; with none, start. With --set "
                   "train.epochs=N a training goes on for longer"},
                  {"init-from", "F.h5", "start from the parameters that another run has learned"},
                  {"log-csv", "F", "metrics of each epoch as they come; of several stages a file each"},
                  {"force", "", "begin anew, whatever the results file holds"},
                  {"check-gradients", "",
                   "before training, compare the gradient of each stage on one small batch with finite "
                   "differences in f64, a line for each parameter; exit with 1 where one disagrees"},
                  {"smoke", "",
                   "few samples, two epochs, short chains: does the file run? Writes to ..._smoke.h5 unless "
                   "--out is given"},
                  {"no-cache", "", "of several stages: train all, neither read nor write results/cache"},
                  {"single", "", "of a file with [sweep]: run its own settings alone"},
                  {"quiet", "", "no progress"}},
      .details =
          "A run that was stopped or killed at any moment and resumed gives the same results, bit for bit, "
          "as one that was not.\n"
          "Running an experiment again replaces its results file (the results are the same); a checkpoint of "
          "it, or a file of "
          "another experiment, is never replaced without --force. SIGINT (Ctrl-C), SIGTERM and SIGHUP finish "
          "the step, "
          "write a checkpoint and exit with 130; "
          "what takes longer, as an evaluation, is given up within two seconds: the last checkpoint holds. A "
          "second one ends at once.\n"
          "Stages of an experiment with [[stages]] are kept under results/cache, so that an experiment that "
          "begins with the "
          "same ones need not train them again; that is said.\n"
          "Numbers are compared with what the table [expect] of the experiment says; where one is missed, "
          "the "
          "exit code is 3.",
      .examples =
          {"basin run experiments/quickstart.toml", "two commands to a trained model: see README.md",
           "basin run my.toml --set optimizer.learning_rate=0.01 train.epochs=50 --out results/slow.h5",
           "another setting, another file", "basin run my.toml --resume", "go on after an interruption",
           "basin run my.toml --resume --set train.epochs=100", "train for longer than the first time"},
      .computes = true};
  return syntax;
}

int run_command(const Arguments& arguments) {
  const std::string toml = arguments.positional(0);
  Config config = Config::load(toml);
  for (const std::string& setting : arguments.texts("set")) {
    config.set(setting);
  }
  if (arguments.has("single")) leave_sweep_aside(config);
  if (const auto seed = arguments.integer("seed", 0, kMostSeed)) {
    config.set(fmt::format("seed={}", *seed));
  }
  if (const auto from = arguments.text("init-from")) config.set("init_from=" + format_value(Node::of(*from)));
  const bool smoke = arguments.has("smoke");
  if (smoke) {
    config.set("smoke=true");
  }
  const Plan plan = read_plan(config, default_file(toml, smoke));

  RunOptions options;
  options.file = arguments.text("out").value_or(smoke ? default_file(toml, true) : plan.file);
  options.device = device_of_run(arguments, options.file);
  options.threads = arguments.integer("threads", 1).value_or(0);
  options.resume = arguments.has("resume");
  options.replace = arguments.has("force");
  options.revision = revision();
  options.experiment = toml;
  options.cache = arguments.has("no-cache") ? "" : "results/cache";

  catch_interrupts([file = options.file, resumes = options.resume, before = last_written(options.file)] {
    const auto now = last_written(file);
    return now && (resumes || now != before) ? goes_on_from(file) : std::string(kNoCheckpoint);
  });
  Progress progress(arguments.has("quiet"));
  EpochLog log(arguments.text("log-csv").value_or(""), plan.is_pipeline(),
               [&](const std::string& line) { progress.say(line); });
  RunHooks hooks;
  hooks.step = [&](const FitReport& report) {
    progress.step(report);
    log.step(report);
    return !interrupted();
  };
  hooks.say = [&](const std::string& line) { progress.say(line); };
  if (arguments.has("check-gradients")) check_gradients(plan, options.device, hooks.say);
  const RunResult result = run_experiment(plan, options, hooks);
  if (!result.complete) {
    progress.say("");
    tell(goes_on_from(result.file));
    return kInterrupted;
  }
  print_summary(result, arguments);
  if (result.missed.empty()) return kDone;
  tell(fmt::format("basin: [expect] {}: not where the experiment expects {}: see /expect in {}\n",
                   fmt::join(result.missed, ", "), result.missed.size() == 1 ? "it" : "them", result.file));
  return kMissed;
}

}  // namespace basin::program
