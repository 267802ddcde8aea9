#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "config/config.h"
#include "results/environment.h"
#include "results/files/sha256.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/report/sections.h"
#include "training/report/side_by_side.h"
#include "training/sweep/compare_runs.h"

namespace basin::report_sections {
namespace {

/// With more runs a run is a row.
constexpr std::size_t kMostColumns = 5;

using Said = std::vector<std::map<std::string, std::string>>;

std::string text_or_dash(const Store& results, const std::string& path) {
  return results.has(path) ? results.text(path) : "-";
}

std::string utc(std::int64_t seconds) {
  const auto when = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[64] = "";
  if (gmtime_r(&when, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
    return fmt::format("{}", seconds);
  return text;
}

std::string kinds_of(const Store& results) {
  std::vector<std::string> kinds;
  for (const std::string& name : stage_names(results)) {
    const std::string kind = results.text(stage_group(name) + "/kind");
    kinds.push_back(name == kOnlyStage || name == kind ? kind : fmt::format("{} ({})", name, kind));
  }
  return fmt::format("{}", fmt::join(kinds, ", "));
}

void add_table(Page& page, const std::string& what, const Runs& runs, const std::vector<SideBySideRow>& rows,
               bool marks) {
  if (runs.size() <= kMostColumns) {
    TextTable table = table_of_runs(what, runs);
    std::set<std::size_t> marked;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::vector<std::string> cells = rows[r].cells;
      cells.insert(cells.begin(), rows[r].name);
      table.add(std::move(cells));
      if (marks && rows[r].differs) marked.insert(r);
    }
    page.table(table, marked);
    return;
  }
  std::vector<std::string> names = {"run"};
  for (const SideBySideRow& row : rows) names.push_back(row.name);
  TextTable table(std::move(names));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::vector<std::string> cells = {runs[i].name};
    for (const SideBySideRow& row : rows) cells.push_back(row.cells[i]);
    table.add(std::move(cells));
  }
  page.table(table);
}

std::map<std::string, std::string> origin_of(const ReportedRun& run) {
  const Store& results = run.results;
  std::map<std::string, std::string> origin = {
      {"file", run.file},
      {"SHA-256 of the file", sha256_file(run.file)},
      {"experiment", text_or_dash(results, "/experiment/file")},
      {"revision", results.text("/environment/revision")},
      {"libraries", fmt::format("{}", fmt::join(results.texts("/environment/libraries"), ", "))},
      {"processor", results.text("/environment/processor")},
      {"device", place_of(results)},
      {"threads", fmt::format("{}", results.integer("/environment/threads"))},
      {"seed", fmt::format("{}", results.integer("/experiment/seed"))},
      {"started", results.has("/time/started") ? utc(results.integer("/time/started")) : "-"},
      {"training", fmt::format("{:.0f} s", results.number("/time/train_seconds"))},
      {"evaluation", fmt::format("{:.0f} s", results.number("/time/evaluate_seconds"))},
      {"peak memory", fmt::format("{:.0f} MB", results.number("/time/peak_memory") / 1e6)},
      {"SHA-256 of the data", text_or_dash(results, "/experiment/data")}};
  for (const char* part : {"test", "validation"}) {
    const std::string path = fmt::format("/experiment/{}_data", part);
    if (results.has(path)) origin[fmt::format("SHA-256 of the {} samples", part)] = results.text(path);
  }
  if (results.has("/experiment/init_from"))
    origin["SHA-256 of the file it began with"] = results.text("/experiment/init_from");
  if (results.has("/environment/earlier"))
    origin["earlier steps by"] = fmt::format("{}", fmt::join(results.texts("/environment/earlier"), "; "));
  return origin;
}

}  // namespace

TextTable table_of_runs(const std::string& what, const Runs& runs) {
  std::vector<std::string> names = {what};
  for (const ReportedRun& run : runs) names.push_back(run.name);
  return TextTable(std::move(names));
}

void settings(Page& page, const Runs& runs) {
  page.section("What was run");
  Said models, all;
  for (const ReportedRun& run : runs) {
    const Store& results = run.results;
    models.push_back(
        {{"model", kinds_of(results)}, {"experiment", text_or_dash(results, "/experiment/file")}});
    all.push_back(settings_of(results));
  }
  std::vector<SideBySideRow> shown = side_by_side(models), equal;
  for (SideBySideRow& row : side_by_side(all)) {
    const bool is_always_shown = row.name == "data.name" || row.name == "protocol" || row.name == "seed";
    (row.differs || is_always_shown ? shown : equal).push_back(std::move(row));
  }
  add_table(page, "setting", runs, shown, runs.size() > 1);
  page.fold(runs.size() == 1 ? "All other settings"
                             : fmt::format("{} settings that are equal in all", equal.size()));
  TextTable rest({"setting", "value"});
  for (const SideBySideRow& row : equal) rest.add({row.name, row.cells.front()});
  page.table(rest).unfold();
  for (const ReportedRun& run : runs) {
    page.fold(fmt::format("The experiment of {}, with every default", run.name))
        .preformatted(run.results.text("/experiment/resolved"))
        .unfold();
  }
}

void numbers(Page& page, const Runs& runs, const ReportOptions& options) {
  page.section("Numbers");
  if (runs.size() > 1) {
    try {
      std::vector<ComparedRun> compared;
      for (const ReportedRun& run : runs) compared.push_back(ComparedRun::of(run.results, run.file));
      const Comparison found = compare_runs(compared, {.by = options.by, .metric = options.metric});
      page.heading(fmt::format("{} of {} runs", found.metric, runs.size()));
      page.paragraph(
          fmt::format("Runs of equal settings are a row. Differences are to the reference, the first row{}, "
                      "in pairs of runs that are alike in all else.",
                      found.over.empty() ? "" : fmt::format(" of each value of {}", found.over)));
      page.table(found.table());
      for (const std::string& note : found.notes) page.paragraph(note);
      if (const auto& test = found.mcnemar) {
        page.paragraph(fmt::format(
            "McNemar's exact test: {} samples right in the first alone, {} in the second alone, p = {:.3g}.",
            test->first_only, test->second_only, test->p));
      }
    } catch (const Error& error) {
      if (!options.by.empty() || !options.metric.empty()) throw;
      page.paragraph(fmt::format("No table of groups: {}", error.what()));
    }
  }
  Said said;
  for (const ReportedRun& run : runs) said.push_back(numbers_of(run.results));
  if (runs.size() > 1) page.heading("Evaluation of each run");
  add_table(page, "number", runs, side_by_side(said), false);
}

void provenance(Page& page, const Runs& runs) {
  page.section("Provenance");
  Said origins;
  for (const ReportedRun& run : runs) origins.push_back(origin_of(run));
  add_table(page, "", runs, side_by_side(origins), runs.size() > 1);
}

}  // namespace basin::report_sections
