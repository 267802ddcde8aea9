#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "results/files/atomic_file.h"
#include "results/files/temporary_folder.h"
#include "results/files/unfinished.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/experiment/restored.h"
#include "training/plots/plot.h"
#include "training/plots/snapshot.h"
#include "training/report/sections.h"

namespace basin::report_sections {
namespace {

constexpr int kTiles = 100;  // of a picture of weights

/// Pictures of a stage; what cannot be drawn, because the data are gone or there is nothing to see, as lines.
std::vector<Figure> draw_all(const RestoredStage& restored, const StageView& view, const std::string& title,
                             const std::string& folder, std::vector<std::string>& missing) {
  static const std::set<std::string> kWeights = {"basis",   "dictionary", "dictionary_unwhitened",
                                                 "encoder", "decoder",    "filters"};
  std::vector<Figure> figures;
  for (const Plot* plot : plots_of(restored.stage())) {
    if (plot->name == "curves") continue;
    const Unfinished file(fmt::format("{}/{}.png", folder, plot->name));
    Drawing drawing{.path = file.path(), .tiles = {.sort_by_norm = true}, .title = title};
    if (kWeights.contains(plot->name)) drawing.tiles.limit = kTiles;
    try {
      draw(plot->name, drawing, view, restored.results());
      figures.push_back(
          {.png = read_whole(file.path()), .caption = fmt::format("{}: {}", plot->name, plot->about)});
    } catch (const Error& error) {
      missing.push_back(fmt::format("{} is not drawn: {}", plot->name, error.what()));
    }
  }
  return figures;
}

std::string png_of(const Picture& picture, const std::string& folder) {
  const Unfinished file(folder + "/picture.png");
  save_png(picture, file.path());
  return read_whole(file.path());
}

/// The snapshots of a stage, and its weights as they were evaluated.
std::vector<Moment> moments_of(const RestoredStage& restored, const StageView& view,
                               const std::string& folder) {
  constexpr const char* kSnapshots = "/snapshots/";
  constexpr int kLeastWidth = 300;
  const Store& results = restored.results();
  std::map<Index, std::string> paths;  // by epoch
  for (const std::string& path : results.list("/snapshots"))
    paths[std::strtoll(path.c_str() + std::string(kSnapshots).size(), nullptr, 10)] = path;
  std::vector<Moment> moments;
  const auto add = [&](const std::string& label, const Tensor& rows, Shape pixels) {
    TileOptions options = sized({.least_width = kLeastWidth}, pixels);
    moments.push_back({.label = label, .png = png_of(tile(rows, options), folder)});
  };
  for (const auto& [epoch, path] : paths) {
    const Shape shape = results.shape(path);
    add(fmt::format("epoch {}", epoch), results.tensor(path), {shape.begin() + 1, shape.end()});
  }
  if (moments.empty()) return moments;
  const Picturable last = snapshot(restored.stage(), view.preprocessing());
  add("as evaluated", last.rows, last.pixels);
  return moments;
}

}  // namespace

void pictures(Page& page, const Runs& runs, const ReportOptions& options) {
  const std::size_t shown = std::min(options.pictured, runs.size());
  if (shown == 0) return;
  page.section("Pictures");
  const Unfinished folder(make_temporary_folder("report"));
  for (std::size_t i = 0; i < shown; ++i) {
    const ReportedRun& run = runs[i];
    if (options.say) options.say(fmt::format("drawing {}", run.file));
    const Plan plan = plan_of(run.results);
    for (const std::string& name : stage_names(run.results)) {
      std::vector<Figure> figures;
      std::vector<Moment> moments;
      std::vector<std::string> missing;
      try {
        RestoredStage stage(run.results, plan, name);
        const StageView view = stage.view(options.say);
        figures = draw_all(stage, view, plan.data.name, folder.path(), missing);
        moments = moments_of(stage, view, folder.path());
      } catch (const Error& error) {  // its data are gone
        missing.push_back(fmt::format("Nothing more is drawn of it: {}", error.what()));
      }
      if (figures.empty() && missing.empty() && moments.empty()) continue;
      const std::string of = runs.size() == 1 ? "" : run.name + ", ";
      page.heading(name == kOnlyStage ? run.name : fmt::format("{}{}", of, name));
      if (!moments.empty()) page.slides("the weights as training went on", moments);
      page.figures(figures);
      for (const std::string& line : missing) page.paragraph(line);
    }
  }
  if (shown < runs.size())
    page.paragraph(fmt::format("Pictures are of the first {} of {} runs.", shown, runs.size()));
}

}  // namespace basin::report_sections
