#include "training/report/report.h"

#include <fmt/format.h>

#include <filesystem>

#include "commands.h"
#include "console.h"
#include "progress.h"
#include "result_files.h"
#include "results/files/atomic_file.h"

namespace basin::program {

const Syntax& report_syntax() {
  static const Syntax syntax = {
      .command = "report",
      .summary =
          "writes one HTML page about results files: settings, numbers, curves, pictures, what made them",
      .positionals = {"FILE.h5|DIR..."},
      .options = {{"out,o", "F.html", "the page; default: report.html"},
                  {"by", "KEY", "the key whose values are compared, as of basin compare"},
                  {"metric", "M", "the number that is compared, as of basin compare"},
                  {"pictures", "N", "draw pictures of the first N files; default 3"},
                  {"quiet", "", "no progress"}},
      .details =
          "The page holds all that it needs: it can be sent, read without a network and printed. Runs must "
          "be complete. A results file with snapshots (results.snapshots of its experiment) shows how its "
          "weights came about. What the page shows: experiments/README.md.",
      .examples = {"basin report results/quickstart.h5", "one run",
                   "basin report results/my_sweep --by protocol -o protocols.html",
                   "all runs of a sweep side by side"}};
  return syntax;
}

int report_command(const Arguments& arguments) {
  const std::string path = arguments.text("out").value_or("report.html");
  ReportOptions options{.by = arguments.text("by").value_or(""),
                        .metric = arguments.text("metric").value_or("")};
  if (const auto pictures = arguments.integer("pictures", 0))
    options.pictured = static_cast<std::size_t>(*pictures);
  Progress progress(arguments.has("quiet"));
  options.say = [&](const std::string& line) { progress.say(line); };
  AtomicFile page(path);  // a place that cannot be written is refused before there is anything to write
  const bool was_there = std::filesystem::exists(path);
  page.write(report(ReportedRun::load(result_files("report", arguments.positionals())), options));
  page.finish();
  print(fmt::format("page         {}{}\n", path, was_there ? " (in place of an earlier one)" : ""));
  return kDone;
}

}  // namespace basin::program
