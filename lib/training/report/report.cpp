#include "training/report/report.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "results/results_file.h"
#include "tensor/error.h"
#include "training/report/sections.h"

namespace basin {

std::vector<ReportedRun> ReportedRun::load(const std::vector<std::string>& files) {
  std::vector<ReportedRun> runs;
  std::set<std::string> stems;
  for (const std::string& file : files) {
    ReportedRun run{
        .file = file, .name = std::filesystem::path(file).stem().string(), .results = load_results(file)};
    const std::string status = run.results.text("/experiment/status");
    if (status != "complete") {
      throw Error(
          fmt::format("[report] expected complete runs, received {}, which is not ({}); finish it by basin "
                      "run ... --resume",
                      file, status));
    }
    stems.insert(run.name);
    runs.push_back(std::move(run));
  }
  if (stems.size() < runs.size()) {
    for (ReportedRun& run : runs) run.name = run.file;
  }
  return runs;
}

std::string report(const std::vector<ReportedRun>& runs, const ReportOptions& options) {
  if (runs.empty()) throw Error("[report] expected results files, received none");
  namespace sections = report_sections;
  Page page(runs.size() == 1 ? runs.front().name
                             : fmt::format("{} and {} more", runs.front().name, runs.size() - 1));
  sections::settings(page, runs);
  sections::numbers(page, runs, options);
  sections::curves(page, runs);
  sections::pictures(page, runs, options);
  sections::likelihoods(page, runs);
  sections::trials(page, runs);
  sections::fine_tuning(page, runs);
  sections::provenance(page, runs);
  return page.html();
}

}  // namespace basin
