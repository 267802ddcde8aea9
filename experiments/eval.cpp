#include <fmt/format.h>

#include <vector>

#include "commands.h"
#include "config/article.h"
#include "config/setting.h"
#include "console.h"
#include "device_option.h"
#include "readable.h"
#include "results/environment.h"
#include "results/merge.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/experiment/output.h"
#include "training/experiment/restored.h"
#include "training/measures/measure.h"

namespace basin::program {

const Syntax& eval_syntax() {
  static const Syntax syntax = {
      .command = "eval",
      .summary = "measures the model in a results file again: log-likelihoods, reconstructions, ...",
      .positionals = {"FILE.h5"},
      .options = {{"set", "KEY=VALUE",
                   "change a key of the experiment, as in evaluate.ais.chains=500 (several may follow)",
                   true},
                  {"stage", "NAME", "of several stages; default: the last"},
                  {"ais", "", "likelihood: by annealed importance sampling, forward and reverse"},
                  {"exact", "", "likelihood: by enumeration of the smaller side (at most about 24 units)"},
                  {"chains", "N", "AIS: chains; default: as the experiment says"},
                  {"temperatures", "N", "AIS: temperatures; default: as the experiment says"},
                  {"burn-in", "N",
                   "AIS: sweeps before the reverse chains start; default: as the experiment says"},
                  {"no-reverse", "", "AIS: forward only"},
                  {"save", "", "put what was measured into the file, in place of numbers of the same names"},
                  {"threads", "N", "threads to compute with; default: all cores"}},
      .details =
          "Without options, the evaluation that the experiment itself asks for. The parameters are the "
          "averaged ones where the "
          "experiment averaged. Without --save nothing is written: what the run itself measured stays in "
          "/evaluation.\n"
          "Forward AIS under-estimates log Z on average and so over-estimates the likelihood; reverse AIS "
          "errs the other "
          "way only as far as the chains that it starts from have mixed: neither is a bound.",
      .examples = {"basin eval results/rbm.h5 --ais --chains 1000 --temperatures 10000",
                   "a closer look than the run itself took", "basin eval results/rbm.h5 --exact --save",
                   "the exact likelihood, into the file, too"},
      .computes = true};
  return syntax;
}

namespace {

/// Throws Error where an option about likelihoods is given for a stage that has none.
void expect_likelihood(const Store& store, const std::string& stage, const char* option) {
  const std::string name = stage.empty() ? stage_names(store).back() : stage;
  const Node experiment = parse_toml(store.text("/experiment/resolved"), store.source());
  if (name != kHead && find_path(experiment, table_of(store, stage) + "evaluate.ais") != nullptr) return;
  throw Error(fmt::format("[eval] expected a model with a likelihood for --{}, received {}; leave it out",
                          option, with_article(store.text(stage_group(name) + "/kind"))));
}

/// Puts the evaluation of a stage into its file, with the settings that it was made by beside it.
void save_evaluation(const std::string& file, const std::string& stage, const Store& measured,
                     const std::vector<std::string>& settings) {
  const auto lock = claim_output(file, [](const std::string& line) { tell(line + "\n"); });
  Store store = load_results(file);  // as it is now that nobody else writes to it
  if (format_version(store) != kFormatVersion)
    throw Error(
        fmt::format("[eval] {} is of an older basin (format version {}): it can be measured, not "
                    "written to; leave out --save",
                    file, format_version(store)));
  Store results = store.group(stage_group(stage));
  merge(results, measured);
  results.put_texts("/evaluation/saved_with", settings);
  store.put_group(stage_group(stage), results);
  store.save(file);
  print(fmt::format("saved        {}\n", file));
}

}  // namespace

int eval_command(const Arguments& arguments) {
  if (arguments.has("ais") && arguments.has("exact")) {
    throw UsageError("[eval] expected --ais or --exact, received both; see basin eval --help");
  }
  if (const auto threads = arguments.integer("threads", 1)) {
    set_thread_count(*threads);
  }
  if (const std::string warning = thread_warning(); !warning.empty()) tell(warning + "\n");
  const std::string file = arguments.positional(0);
  const Store store = load_results(file);
  std::vector<std::string> settings = arguments.texts("set");
  const std::string at = table_of(store, arguments.text("stage").value_or(""));
  if (arguments.has("ais") || arguments.has("exact")) {
    settings.push_back(
        fmt::format("{}evaluate.log_likelihood={}", at, arguments.has("ais") ? "ais" : "exact"));
  }
  for (const char* option : {"ais", "exact", "chains", "temperatures", "burn-in", "no-reverse"}) {
    if (arguments.has(option)) expect_likelihood(store, arguments.text("stage").value_or(""), option);
  }
  const auto count = [&](const char* option, std::int64_t least, const char* key) {
    if (const auto value = arguments.integer(option, least)) {
      settings.push_back(fmt::format("{}evaluate.ais.{}={}", at, key, *value));
    }
  };
  count("chains", 1, "chains");
  count("temperatures", 3, "temperatures");
  count("burn-in", 0, "burn_in");
  if (arguments.has("no-reverse")) {
    settings.push_back(at + "evaluate.ais.reverse=false");
  }
  const Plan plan = plan_of(store, settings);
  RestoredStage stage(store, plan, arguments.text("stage").value_or(""), device_of(arguments));
  const StageView view = stage.view();
  view.data();
  if (stage.has_other_samples()) {
    if (arguments.has("save"))
      throw Error("[eval] expected the run's own samples for --save, received others; leave out --save");
    tell(fmt::format("warning: measures other samples of {} than the run learned from\n", plan.data.name));
  }
  Store measured;
  print(in_columns(evaluate_measures(view, measured), output_width()));
  if (arguments.has("save")) save_evaluation(file, stage.stage().name, measured, settings);
  return kDone;
}

}  // namespace basin::program
