#include "training/plots/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "config/nearest.h"
#include "console.h"
#include "readable.h"
#include "result_files.h"
#include "results/pictures/sheet.h"
#include "results/results_file.h"
#include "training/experiment/experiment.h"
#include "training/experiment/restored.h"
#include "training/plots/energy_surface.h"

namespace basin::program {
namespace {

TileScale scale_of(const Arguments& arguments) {
  const std::string scale = arguments.text("scale").value_or("tile");
  if (scale != "tile" && scale != "global") {
    throw UsageError(
        fmt::format("[plot] --scale expected tile or global, received '{}'; see basin plot --help", scale));
  }
  return scale == "tile" ? TileScale::PerTile : TileScale::Global;
}

/// A line for each picture there is.
std::string about_plots() {
  std::string text;
  for (const Plot& plot : plots()) text += fmt::format("{:<22} {}\n", plot.name, plot.about);
  return text;
}

void check_plot(const std::string& name) {
  std::vector<std::string> known;
  for (const Plot& plot : plots()) known.push_back(plot.name);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw UsageError(
        fmt::format("[plot] unknown picture '{}'; {}; see basin plot --help", name, suggestion(name, known)));
  }
}

/// What can be drawn of the stage that --stage names, or of every stage.
int list_plots(const Store& store, const std::optional<std::string>& only) {
  for (const std::string& name : only ? std::vector<std::string>{*only} : stage_names(store)) {
    RestoredStage stage(store, plan_of(store), name);
    if (name != kOnlyStage) print(fmt::format("--stage {}\n", name));
    for (const Plot* plot : plots_of(stage.stage()))
      print(in_columns(fmt::format("{:<22} {}\n", plot->name, plot->about), output_width(), 23));
  }
  return kDone;
}

/// The energies of all runs of a folder over their planes, in one picture: a part for each data set.
int draw_folder(const Arguments& arguments, const std::string& folder, const std::string& kind) {
  if (kind != "energy_surface") {
    throw UsageError(
        fmt::format("[plot] expected the picture energy_surface of a folder, received '{}'; draw "
                    "others file by file; see basin plot --help",
                    kind));
  }
  constexpr int kSide = 190, kColumns = 6;
  std::vector<SheetPart> parts;
  for (const std::string& file : result_files("plot", {folder})) {
    const Store store = load_results(file);
    const Plan plan = plan_of(store, {});
    RestoredStage stage(store, plan, arguments.text("stage").value_or(""));
    const auto of_data = [&](const SheetPart& part) { return part.heading == plan.data.name; };
    auto part = std::find_if(parts.begin(), parts.end(), of_data);
    if (part == parts.end())
      part = parts.insert(part, {.heading = plan.data.name, .pictures = {}, .columns = kColumns});
    part->pictures.push_back(
        energy_surface(stage.view(), {.width = kSide, .height = kSide, .is_framed = false}));
    part->captions.push_back(std::filesystem::path(file).stem().string());
  }
  const std::string path = arguments.text("out").value_or(folder + "_energy_surface.png");
  save_png(sheet(parts, {.title = "energies, low where dark, and samples"}), path);
  print(fmt::format("picture      {}\n", path));
  return kDone;
}

}  // namespace

const Syntax& plot_syntax() {
  static const Syntax syntax = {
      .command = "plot",
      .summary = "draws what a results file holds; without KIND, lists what it can draw",
      .positionals = {"FILE.h5", "[KIND]"},
      .options =
          {{"out,o", "F", "the picture; default: FILE_<kind>.png. Curves also as .svg"},
           {"sort-by-norm", "", "basis, dictionary: largest weights first"},
           {"scale", "HOW",
            "basis, dictionary: grey levels by each tile's largest weight (tile, default) or by the "
            "largest of all (global)"},
           {"stage", "NAME", "of several stages; default: the last"},
           {"limit", "N", "at most N tiles, or samples"},
           {"zoom", "N",
            "screen pixels a pixel, or more where the picture would be less than 300 pixels wide; default 2"},
           {"chains", "N", "samples: number of chains, 100 by default; of piano rolls, 3"},
           {"steps", "N",
            "samples: Gibbs sweeps before the picture, 1000 by default; frames of a piano roll, 200"},
           {"metric", "NAME", "curves: the epoch metrics that begin with NAME"},
           {"log", "", "curves: logarithmic axis"}},
      .details = about_plots() + "experiments/README.md lists the pictures of each kind of model.",
      .examples = {"basin plot results/quickstart.h5", "what can be drawn of it",
                   "basin plot results/quickstart.h5 basis --sort-by-norm", "what the hidden units look for",
                   "basin plot results/quickstart.h5 samples --chains 400 --steps 5000 -o fantasies.png",
                   "what the model dreams",
                   "basin plot results/strategies/surfaces energy_surface -o energies.png",
                   "the energies of all runs in a folder",
                   "basin plot results/quickstart.h5 curves --metric reconstruction_error -o error.svg",
                   "how it learned"}};
  return syntax;
}

int plot_command(const Arguments& arguments) {
  const std::string file = arguments.positional(0);
  const std::string kind = arguments.positional(1);
  if (kind.empty()) return list_plots(load_results(file), arguments.text("stage"));
  check_plot(kind);
  if (std::filesystem::is_directory(file)) return draw_folder(arguments, file, kind);
  for (const char* option : {"chains", "steps"}) {
    if (arguments.has(option) && kind != "samples")
      throw UsageError(fmt::format(
          "[plot] expected the picture samples for --{}, received {}; see basin plot --help", option, kind));
  }
  const TileScale scale = scale_of(arguments);
  const Store store = load_results(file);
  const std::string name = arguments.text("stage").value_or("");
  const std::string at = table_of(store, name);
  std::vector<std::string> settings;
  if (const auto chains = arguments.integer("chains", 1)) {
    settings.push_back(fmt::format("{}results.sample_chains={}", at, *chains));
  }
  if (const auto steps = arguments.integer("steps", 0)) {
    settings.push_back(fmt::format("{}results.sample_steps={}", at, *steps));
  }
  const Plan plan = plan_of(store, settings);
  const std::string path = arguments.text("out").value_or(picture_path(file, kind, "png", name));
  Drawing drawing{.path = path,
                  .title = plan.data.name,
                  .metric = arguments.text("metric").value_or(""),
                  .log_y = arguments.has("log")};
  drawing.tiles.scale = scale;
  drawing.tiles.zoom = static_cast<int>(arguments.integer("zoom", 1).value_or(drawing.tiles.zoom));
  drawing.tiles.sort_by_norm = arguments.has("sort-by-norm");
  drawing.tiles.limit = static_cast<int>(arguments.integer("limit", 1).value_or(0));
  RestoredStage stage(store, plan, name);
  const bool was_there = std::filesystem::exists(path);
  draw(kind, drawing, stage.view(), stage.results());
  print(fmt::format("picture      {}{}\n", path, was_there ? " (in place of an earlier one)" : ""));
  return kDone;
}

}  // namespace basin::program
