#include <fmt/format.h>

#include "commands.h"
#include "training/experiment.h"
#include "training/pictures.h"

namespace basin::program {
namespace {

TileScale scale_of(const Arguments& arguments) {
  const std::string scale = arguments.text("scale").value_or("tile");
  if (scale != "tile" && scale != "global") {
    throw UsageError(fmt::format("[plot] --scale expected tile or global, received '{}'; see basin plot --help", scale));
  }
  return scale == "tile" ? TileScale::PerTile : TileScale::Global;
}

}  // namespace

const Syntax& plot_syntax() {
  static const Syntax syntax = {
      .command = "plot",
      .summary = "draws what a results file holds",
      .positionals = {"FILE.h5", "basis|samples|curves"},
      .options = {{"out,o", "F", "the picture; default: FILE_<kind>.png. Curves also as .svg"},
                  {"sort-by-norm", "", "basis: largest weights first"},
                  {"scale", "HOW", "basis: grey levels by each tile's largest weight (tile, default) or by the largest of all (global)"},
                  {"limit", "N", "basis: at most N tiles"},
                  {"zoom", "N", "screen pixels a pixel; default 2"},
                  {"chains", "N", "samples: number of chains; default 100"},
                  {"steps", "N", "samples: Gibbs sweeps before the picture; default 1000"},
                  {"metric", "NAME", "curves: the epoch metrics that begin with NAME"},
                  {"log", "", "curves: logarithmic axis"}},
      .details =
          "basis    the weights of each hidden unit: zero is mid-grey, positive bright\n"
          "samples  fantasies: Gibbs chains from the particles of training, shown as mean visible states\n"
          "curves   metrics over epochs",
      .examples = {"basin plot results/quickstart.h5 basis --sort-by-norm", "what the hidden units look for",
                   "basin plot results/quickstart.h5 samples --chains 400 --steps 5000 -o fantasies.png", "what the model dreams",
                   "basin plot results/quickstart.h5 curves --metric reconstruction_error -o error.svg", "how it learned"}};
  return syntax;
}

int plot_command(const Arguments& arguments) {
  const std::string file = arguments.positional(0);
  const std::string kind = arguments.positional(1);
  if (kind != "basis" && kind != "samples" && kind != "curves") {
    throw UsageError(fmt::format("[plot] expected basis, samples or curves, received '{}'; see basin plot --help", kind));
  }
  const TileScale scale = scale_of(arguments);
  const Store store = Store::load(file);
  const Plan plan = plan_of(store);
  const std::string path = arguments.text("out").value_or(picture_path(file, kind, "png"));
  if (kind == "curves") {
    save_curves(store, arguments.text("metric").value_or(""), plan.data.name, arguments.has("log"), path);
  } else {
    const Rbm rbm = model_of(store, plan, Device::Cpu);
    TileOptions tiles = tiles_of(rbm.v.shape);
    tiles.scale = scale;
    tiles.zoom = static_cast<int>(arguments.integer("zoom", 1).value_or(tiles.zoom));
    if (kind == "basis") {
      tiles.sort_by_norm = arguments.has("sort-by-norm");
      tiles.limit = static_cast<int>(arguments.integer("limit", 1).value_or(0));
      save_png(tile(basis(rbm), tiles), path);
    } else {
      tiles.is_signed = plan.model.visible == UnitKind::Gaussian;
      const SampleOptions options = {.chains = arguments.integer("chains", 1).value_or(plan.results.sample_chains),
                                     .steps = arguments.integer("steps", 0).value_or(plan.results.sample_steps)};
      save_png(tile(fantasies(plan, rbm, carry_of(store, Device::Cpu), options), tiles), path);
    }
  }
  fmt::print("picture      {}\n", path);
  return kDone;
}

}  // namespace basin::program
