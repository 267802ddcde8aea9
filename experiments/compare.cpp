#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "commands.h"
#include "console.h"
#include "result_files.h"
#include "results/files/atomic_file.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/sweep/compare_curve.h"
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
                  {"test", "T", "paired_t, wilcoxon (at least 6 pairs) or bootstrap; default: none"},
                  {"reference", "VALUE",
                   "the value of --by that others are compared with; default: the first"},
                  {"over", "KEY",
                   "a key of numbers, as data.labels: each of its values is compared by itself"},
                  {"curve", "OUT",
                   "draw means and bands against --over, .png or .svg, the numbers beside it as .csv; or "
                   ".csv alone"},
                  {"csv", "OUT", "write the table there, too"}},
      .details =
          "What is not said here is as the experiments say in their table [compare], which was written "
          "before they ran; a flag that departs from it is said to be chosen afterwards. Differences are to "
          "the reference, in pairs of runs that are alike in all other keys, as of one seed: their mean, "
          "its standard error, the number of pairs, by --test p and p after\nHolm's correction over all "
          "rows. Beside them what it took: trials of [select], seconds of training with pretraining\n(as if "
          "nothing had been shared) and updates. Two classifiers that stored their predictions are also "
          "compared sample by sample, by McNemar's exact test. Files that were measured on other samples "
          "are refused.",
      .examples = {
          "basin compare results/my_sweep --by protocol --csv protocols.csv", "a row for each protocol",
          "basin compare results/my_sweep --by protocol --over data.labels --curve labels.png",
          "a curve for each protocol", "basin compare a.h5 b.h5", "is the difference more than chance?"}};
  return syntax;
}

int compare_command(const Arguments& arguments) {
  std::vector<ComparedRun> runs;
  for (const std::string& file : result_files("compare", arguments.positionals()))
    runs.push_back(ComparedRun::of(load_results(file), file));
  CompareOptions flags;
  for (const auto& [key, option] : compare_keys()) flags.*option = arguments.text(key).value_or("");
  if (!flags.test.empty() && std::ranges::find(compare_tests(), flags.test) == compare_tests().end())
    throw UsageError(fmt::format("--test: expected one of {}, received '{}'",
                                 fmt::join(compare_tests(), ", "), flags.test));
  const Comparison comparison = compare_runs(runs, flags);
  const TextTable table = comparison.table();
  if (const auto out = arguments.text("csv")) write_atomically(*out, table.csv());
  print(fmt::format("{} of {} runs\n{}", comparison.metric, runs.size(), table.aligned()));
  for (const std::string& note : comparison.notes) print(fmt::format("note         {}\n", note));
  if (const auto out = arguments.text("curve")) {
    for (const std::string& file : save_curves(comparison, *out))
      print(fmt::format("curves       {}\n", file));
  }
  if (const auto& test = comparison.mcnemar) {
    print(fmt::format(
        "McNemar      {} samples right in the first alone, {} in the second alone, exact p {:.3g}\n",
        test->first_only, test->second_only, test->p));
  }
  return kDone;
}

}  // namespace basin::program
