#include <fmt/format.h>

#include "commands.h"
#include "config/reader.h"
#include "console.h"
#include "data/export.h"
#include "device_option.h"
#include "results/pictures/picture.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/experiment/restored.h"
#include "training/measures/bound.h"
#include "training/plots/sampled.h"

namespace basin::program {
namespace {

/// Samples as a picture of tiles, where they are pictures.
void draw(const Samples& samples, const std::string& path) {
  const Shape& shape = samples.shape();
  TileOptions tiles = sized({.least_width = 300}, shape);
  if (samples.first().kind() != ColumnKind::Reals || tiles.height == 0)
    throw Error(fmt::format(
        "[sample] expected samples that are pictures for {}, received {} of shape {}; write a .h5 or .npy "
        "file",
        path, samples.first().kind() == ColumnKind::Reals ? "numbers" : "symbols", to_string(shape)));
  const Tensor& rows = samples.first().reals();
  for (const double number : rows.values())
    tiles.is_signed = tiles.is_signed && !(number >= 0.0 && number <= 1.0);
  save_png(tile(rows, tiles), path);
}

}  // namespace

const Syntax& sample_syntax() {
  static const Syntax syntax = {
      .command = "sample",
      .summary = "writes samples that a trained model makes up",
      .positionals = {"FILE.h5"},
      .options = {{"out,o", "F",
                   "samples.h5 (the dataset samples/sample), samples.npy, or samples.png of pictures"},
                  {"count,n", "N", "how many; default: 100"},
                  {"steps", "N",
                   "moves of each chain, or steps of a sequence; default: as the experiment says"},
                  {"label", "N",
                   "of machines of samples and labels: the class that all samples have; default: drawn with "
                   "them, and written as samples/label"},
                  {"means", "", "means of the visible units in the place of drawn states"},
                  {"seed", "N", "draw others than under the run's seed"},
                  {"stage", "NAME", "of several stages; default: the last"},
                  {"threads", "N", "threads to compute with; default: all cores"}},
      .details =
          "Boltzmann machines give the ends of Gibbs chains, which begin at the chains of training where "
          "there are any; recurrent nets of bits or symbols give sequences, each step drawn given those "
          "before; energies of samples alone give the ends of chains from noise, by the transition of "
          "evaluate.chains or what suits. At the top of Boltzmann machines they are drawn from layer to "
          "layer, down to the first "
          "(deep belief nets). What any other stage above others makes up is taken down through their "
          "decoders, as means. Other kinds of models have no samples, and say so.",
      .examples = {"basin sample results/quickstart.h5 -n 64 -o samples.png", "64 digits that it makes up",
                   "basin sample results/dbn_mnist.h5 --label 3 --means -o threes.png", "threes, as means",
                   "basin sample results/quickstart.h5 -n 10000 -o samples.npy", "and many, for NumPy"},
      .computes = true};
  return syntax;
}

int sample_command(const Arguments& arguments) {
  const auto out = arguments.text("out");
  if (!out)
    throw UsageError(
        "[sample] expected --out FILE.h5, FILE.npy or FILE.png, received none; see basin sample --help");
  if (const auto threads = arguments.integer("threads", 1)) set_thread_count(*threads);
  const Store store = load_results(arguments.positional(0));
  std::vector<std::string> settings;
  if (const auto seed = arguments.integer("seed", 0, kMostSeed))
    settings.push_back(fmt::format("seed={}", *seed));
  const Plan plan = plan_of(store, settings);
  RestoredStage stage(store, plan, arguments.text("stage").value_or(""), device_of(arguments));
  Samples samples = sampled(stage.view(), {.count = arguments.integer("count", 1).value_or(100),
                                           .steps = arguments.integer("steps", 1).value_or(0),
                                           .label = arguments.integer("label", 0, kMostCounted),
                                           .means = arguments.has("means")});
  // A deep belief net has drawn samples of its first stage already.
  if (stage.stage().facets.get<BeliefNet>() == nullptr)
    samples.columns.front() = stage.decoded(samples.first());
  if (out->ends_with(".png")) {
    draw(samples, *out);
  } else {
    export_samples(*out, {{"samples", samples}});
  }
  print(fmt::format("samples      {} of {} in {}\n", samples.count, to_string(samples.shape()), *out));
  return kDone;
}

}  // namespace basin::program
