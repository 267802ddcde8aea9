#include <fmt/format.h>

#include <vector>

#include "commands.h"
#include "console.h"
#include "results/environment.h"
#include "results/results_file.h"
#include "tensor/threads.h"
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
                  {"threads", "N", "threads to compute with; default: all cores"}},
      .details =
          "Without options, the evaluation that the experiment itself asks for. The parameters are the "
          "averaged ones where the\n"
          "experiment averaged. Nothing is written: what the run itself measured stays in /evaluation.\n"
          "Forward AIS under-estimates log Z on average and so over-estimates the likelihood; reverse AIS "
          "errs the other\n"
          "way only as far as the chains that it starts from have mixed: neither is a bound.",
      .examples = {"basin eval results/rbm.h5 --ais --chains 1000 --temperatures 10000",
                   "a closer look than the run itself took"}};
  return syntax;
}

int eval_command(const Arguments& arguments) {
  if (arguments.has("ais") && arguments.has("exact")) {
    throw UsageError("[eval] expected --ais or --exact, received both; see basin eval --help");
  }
  if (const auto threads = arguments.integer("threads", 1)) {
    set_thread_count(*threads);
  }
  if (const std::string warning = thread_warning(); !warning.empty()) tell(warning + "\n");
  const Store store = load_results(arguments.positional(0));
  std::vector<std::string> settings = arguments.texts("set");
  const std::string at = table_of(store, arguments.text("stage").value_or(""));
  if (arguments.has("ais") || arguments.has("exact")) {
    settings.push_back(
        fmt::format("{}evaluate.log_likelihood={}", at, arguments.has("ais") ? "ais" : "exact"));
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
  RestoredStage stage(store, plan, arguments.text("stage").value_or(""));
  Store measured;
  print(evaluate_measures(stage.view(), measured));
  return kDone;
}

}  // namespace basin::program
