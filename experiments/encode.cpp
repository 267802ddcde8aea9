#include <fmt/format.h>

#include <utility>
#include <vector>

#include "commands.h"
#include "console.h"
#include "data/export.h"
#include "data/readers/npy.h"
#include "device_option.h"
#include "results/results_file.h"
#include "tensor/threads.h"
#include "training/experiment/restored.h"

namespace basin::program {

const Syntax& encode_syntax() {
  static const Syntax syntax = {
      .command = "encode",
      .summary = "writes the codes that a trained stage gives to samples",
      .positionals = {"FILE.h5", "[DATA.npy]"},
      .options = {{"out,o", "F",
                   "codes.h5 (a dataset PART/COLUMN a column) or codes.npy (the codes of one part)"},
                  {"stage", "NAME", "of several stages; default: the last"},
                  {"part", "NAME",
                   "train, validation or test, or labelled where data.labels hides those of others; "
                   "default: all there are"},
                  {"threads", "N", "threads to compute with; default: all cores"}},
      .details =
          "Samples are those of the run itself, each part with its other columns and the labels that it "
          "showed, or the rows of an array of NumPy, which are then the part 'data'. Codes of a stage of "
          "several are those through "
          "all stages below it; of a head, what it judges. Both kinds of files can be read again: [data] "
          "name = \"file\".\n"
          "A line says what the codes are; in an HDF5 file so do the attributes description and unit of "
          "each.",
      .examples = {"basin encode results/quickstart.h5 -o codes.h5",
                   "train/code, train/label, test/code, ...",
                   "basin encode results/quickstart.h5 mine.npy -o codes.npy",
                   "codes of samples of your own"},
      .computes = true};
  return syntax;
}

int encode_command(const Arguments& arguments) {
  const auto out = arguments.text("out");
  if (!out)
    throw UsageError("[encode] expected --out FILE.h5 or FILE.npy, received none; see basin encode --help");
  if (const auto threads = arguments.integer("threads", 1)) set_thread_count(*threads);
  const Device device = device_of(arguments);
  const Store store = load_results(arguments.positional(0));
  const Plan plan = plan_of(store);
  const RestoredStage stage(store, plan, arguments.text("stage").value_or(""), device);
  const std::string file = arguments.positional(1), part = arguments.text("part").value_or("");
  std::vector<NamedSamples> parts;
  if (file.empty()) {
    parts = parts_of(stage.codes(), part);
  } else if (part.empty()) {
    Dataset own;
    own.name = file;
    own.train.add(read_npy(file, {.name = "sample"}));
    parts = {{"data", stage.codes(std::move(own)).train}};
  } else {
    throw UsageError("[encode] --part chooses among the run's own samples; see basin encode --help");
  }
  const CodeWords words = stage.code_words();
  for (NamedSamples& one : parts) one.attributes = {{"description", words.text}, {"unit", words.unit}};
  export_samples(*out, parts);
  for (const NamedSamples& one : parts)
    print(fmt::format("{:12} {} codes of {}\n", one.name, one.samples.count, to_string(one.samples.shape())));
  print(fmt::format("codes        {}; unit: {}\n", words.text, words.unit));
  print(fmt::format("file         {}\n", *out));
  return kDone;
}

}  // namespace basin::program
