#include <fmt/format.h>

#include <vector>

#include "commands.h"
#include "console.h"
#include "result_files.h"
#include "results/files/atomic_file.h"
#include "results/results_file.h"
#include "training/sweep/compare_runs.h"

namespace basin::program {
const Syntax& compare_syntax() {
  static const Syntax syntax = {
      .command = "compare",
      .summary = "tables results files: mean, deviation and paired differences by what differs between them",
      .positionals = {"FILE.h5|DIR..."},
      .options = {{"by", "KEY",
                   "the key of the experiments that makes the groups; default: all that differ but seeds"},
                  {"metric", "M", "a number of /evaluation, as test_error; default: the one that says most"},
                  {"csv", "OUT", "write the table there, too"}},
      .details =
          "Differences are to the first group, in pairs of runs that are alike in all other keys, as of one "
          "seed: their "
          "mean, its\nstandard error and the number of pairs. Two classifiers that stored their predictions "
          "are also "
          "compared sample by\nsample, by McNemar's exact test. Files that were measured on other samples "
          "are refused.",
      .examples = {"basin compare results/my_sweep --by protocol --csv protocols.csv",
                   "a row for each protocol", "basin compare a.h5 b.h5",
                   "is the difference more than chance?"}};
  return syntax;
}

int compare_command(const Arguments& arguments) {
  std::vector<ComparedRun> runs;
  for (const std::string& file : result_files("compare", arguments.positionals()))
    runs.push_back(ComparedRun::of(load_results(file), file));
  const Comparison comparison = compare_runs(
      runs, {.by = arguments.text("by").value_or(""), .metric = arguments.text("metric").value_or("")});
  const TextTable table = comparison.table();
  if (const auto out = arguments.text("csv")) write_atomically(*out, table.csv());
  print(fmt::format("{} of {} runs\n{}", comparison.metric, runs.size(), table.aligned()));
  if (const auto& test = comparison.mcnemar) {
    print(fmt::format(
        "McNemar      {} samples right in the first alone, {} in the second alone, exact p {:.3g}\n",
        test->first_only, test->second_only, test->p));
  }
  return kDone;
}

}  // namespace basin::program
