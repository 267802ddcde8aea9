#include <fmt/format.h>

#include "commands.h"
#include "tensor/threads.h"
#include "training/experiment.h"

namespace basin::program {

const Syntax& eval_syntax() {
  static const Syntax syntax = {
      .command = "eval",
      .summary = "estimates the log-likelihood of the model in a results file",
      .positionals = {"FILE.h5"},
      .options = {{"ais", "", "by annealed importance sampling, forward and reverse"},
                  {"exact", "", "by enumeration of the smaller side (at most about 24 units)"},
                  {"chains", "N", "AIS: chains; default: as the experiment says"},
                  {"temperatures", "N", "AIS: temperatures; default: as the experiment says"},
                  {"burn-in", "N", "AIS: sweeps before the reverse chains start; default: as the experiment says"},
                  {"no-reverse", "", "AIS: forward only"},
                  {"threads", "N", "threads to compute with; default: all cores"}},
      .details =
          "Forward AIS under-estimates log Z on average and so over-estimates the likelihood; reverse AIS errs the other way: the truth\n"
          "lies between, up to the errors printed. The parameters are the averaged ones where the experiment averaged. Nothing is\n"
          "written: what the run itself measured stays in /evaluation.",
      .examples = {"basin eval results/rbm.h5 --ais --chains 1000 --temperatures 10000", "a closer look than the run itself took"}};
  return syntax;
}

int eval_command(const Arguments& arguments) {
  if (arguments.has("ais") == arguments.has("exact")) {
    throw UsageError("[eval] expected either --ais or --exact; see basin eval --help");
  }
  if (const auto threads = arguments.integer("threads", 1)) {
    set_thread_count(static_cast<int>(*threads));
  }
  const Store store = Store::load(arguments.positional(0));
  Plan plan = plan_of(store);
  Plan::Evaluate& evaluate = plan.evaluate;
  evaluate.log_likelihood = arguments.has("ais") ? "ais" : "exact";
  evaluate.chains = arguments.integer("chains", 1).value_or(evaluate.chains);
  evaluate.temperatures = arguments.integer("temperatures", 3).value_or(evaluate.temperatures);
  evaluate.burn_in = arguments.integer("burn-in", 0).value_or(evaluate.burn_in);
  evaluate.reverse = !arguments.has("no-reverse");
  const Dataset data = load_data(plan);
  const Rbm rbm = model_of(store, plan, Device::Cpu);
  fmt::print("{}", describe(log_likelihood(plan, rbm, data, carry_of(store, Device::Cpu))));
  return kDone;
}

}  // namespace basin::program
