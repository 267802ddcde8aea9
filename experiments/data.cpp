#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "commands.h"
#include "config/config.h"
#include "config/nearest.h"
#include "console.h"
#include "data/export.h"
#include "data/fetch.h"
#include "interrupt.h"
#include "readable.h"
#include "tensor/error.h"

namespace basin::program {
namespace {

bool is_here(const CatalogEntry& entry) {
  try {
    for (const RemoteFile& file : entry.files) {
      locate(entry, file);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

const char* where(const CatalogEntry& entry) {
  if (entry.needs_path) {
    return "your own";
  }
  return entry.files.empty()      ? (entry.by_hand.empty() ? "built in" : "by hand")
         : is_here(entry)         ? "here"
         : is_downloadable(entry) ? "fetch"
                                  : "by hand";
}

int list() {
  for (const CatalogEntry& entry : catalog()) {
    print(in_columns(fmt::format("{:20} {:9} {}\n", entry.name, where(entry), entry.description),
                     output_width(), 31));
  }
  return kDone;
}

void describe_reals(const Samples& samples) {
  double sum = 0.0, squares = 0.0, least = 0.0, largest = 0.0;
  const std::vector<double> values = samples.values().values();
  for (const double value : values) {
    sum += value;
    squares += value * value;
    least = std::min(least, value);
    largest = std::max(largest, value);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, values.size()));
  const double mean = sum / count;
  print(fmt::format(", mean {:.4f}, deviation {:.4f}, from {:.3f} to {:.3f}", mean,
                    std::sqrt(squares / count - mean * mean), least, largest));
}

void describe_bytes(const Samples& samples) {
  double sum = 0.0;
  for (const std::uint8_t pixel : samples.pixels()) {
    sum += pixel;
  }
  print(fmt::format(", mean pixel {:.5f}",
                    sum / 255.0 / static_cast<double>(std::max<std::size_t>(1, samples.pixels().size()))));
}

void describe(const char* part, const Samples& samples) {
  if (samples.count == 0) {
    return;
  }
  print(fmt::format("{:10} {} samples of {}", part, samples.count, to_string(samples.shape())));
  const Column& first = samples.first();
  if (first.kind() == ColumnKind::Integers) {
    print(fmt::format(", {} categories", first.classes()));
  } else {
    samples.is_real() ? describe_reals(samples) : describe_bytes(samples);
  }
  if (const Column* labels = samples.labels()) {
    std::vector<Index> counts(static_cast<std::size_t>(labels->classes()));
    for (const std::int32_t label : labels->integers()) {
      ++counts[static_cast<std::size_t>(label)];
    }
    print(", labels");
    for (const Index count : counts) {
      print(fmt::format(" {}", count));
    }
  }
  print("\n");
}

int info(const std::string& name) {
  std::error_code error;
  const bool is_path = name.find('/') != std::string::npos || std::filesystem::is_regular_file(name, error);
  const CatalogEntry& entry = find_entry(!is_path ? name : name.ends_with(".txt") ? "text" : "images");
  print(fmt::format("{}: {}\n", entry.name, entry.description));
  for (const RemoteFile& file : entry.files) {
    print(fmt::format("file   {} (SHA-256 right)\n", verify_file(entry, file)));
  }
  DatasetOptions options;
  options.path = is_path ? name : "";
  const Dataset data = load_dataset(entry.name, options);
  describe("train", data.train);
  describe("validation", data.validation);
  describe("test", data.test);
  return kDone;
}

int fetch(const std::string& name) {
  const CatalogEntry& entry = find_entry(name);
  if (entry.files.empty() && !entry.by_hand.empty()) {
    throw Error(fmt::format("[data] expected a data set that basin can fetch, received '{}'; {}", name,
                            entry.by_hand));
  }
  if (entry.files.empty()) {
    print(fmt::format("{} is built in: nothing to fetch\n", name));
    return kDone;
  }
  catch_interrupts([] { return "basin: interrupted; the same command continues\n"; });
  const bool terminal = isatty(STDERR_FILENO) == 1;
  FetchOptions options;
  options.cancelled = interrupted;
  options.progress = [terminal](const RemoteFile& file, std::uint64_t done, std::uint64_t total) {
    if (terminal && total > 0) {
      constexpr std::uint64_t kBar = 30;
      const auto filled = static_cast<std::size_t>(kBar * std::min(done, total) / total);
      tell(fmt::format("\r\033[K[{}{}] {:6.1f} of {:.1f} MB  {}{}", std::string(filled, '#'),
                       std::string(kBar - filled, '.'), static_cast<double>(done) / 1e6,
                       static_cast<double>(total) / 1e6, file.name, done >= total ? "\n" : ""));
    }
  };
  for (const std::string& path : fetch_entry(entry, options)) {
    print(fmt::format("file         {}\n", path));
  }
  return kDone;
}

/// The table [data] that --set makes of a name.
Config data_config(const std::string& name, const Arguments& arguments) {
  Config config =
      Config::parse(fmt::format("[data]\nname = \"{}\"\n", name), "data " + arguments.positional(0));
  for (const std::string& setting : arguments.texts("set")) config.set("data." + setting);
  return config;
}

int export_data(const std::string& name, const Arguments& arguments) {
  const auto out = arguments.text("out");
  if (!out) throw UsageError("[data] expected --out FILE.h5 or FILE.npy of export, received none");
  const Config config = data_config(name, arguments);
  const DatasetChoice choice = read_dataset(config.table("data"));
  config.finish();
  const Dataset data = load_dataset(choice.name, choice.options);
  export_samples(*out, parts_of(data, arguments.text("part").value_or("")),
                 arguments.text("column").value_or(""));
  print(fmt::format("samples      {}\n", *out));
  return kDone;
}

}  // namespace

const Syntax& data_syntax() {
  static const Syntax syntax = {
      .command = "data",
      .summary = "lists, describes, fetches, shows and exports data sets",
      .positionals = {"list|info|fetch|show|export", "[NAME|PATH]"},
      .options = {{"out,o", "FILE", "show: the picture, FILE.png; export: FILE.h5 or FILE.npy"},
                  {"set", "KEY=VALUE",
                   "show, export: keys of [data], as in train=1000; show also augment.rotate=15 (several may "
                   "follow)",
                   true},
                  {"part", "NAME",
                   "export: train, validation or test, or labelled where labels=N hides those of others; "
                   "default: all there are"},
                  {"column", "NAME", "export: one column, as label; default: all, of FILE.npy the first"}},
      .details =
          "list        what basin knows, and what is on this machine\n"
          "info NAME   checks the files' SHA-256, counts samples and labels; for a "
          "path: patches of the images there\n"
          "fetch NAME  downloads the official files; a partial file is continued\n"
          "show NAME   draws the first 100 training samples, or with "
          "data.augment ten of them as they are and nine times distorted\n"
          "export NAME writes samples for other programs, and for [data] name = \"file\"\n"
          "Data are looked for in $BASIN_DATA and in data/.",
      .examples = {"basin data list", "what there is", "basin data fetch mnist",
                   "handwritten digits, 11 MB"}};
  return syntax;
}

int data_command(const Arguments& arguments) {
  const std::string action = arguments.positional(0);
  const std::string name = arguments.positional(1);
  if (action == "list" && name.empty()) {
    return list();
  }
  if (action != "info" && action != "fetch" && action != "show" && action != "export") {
    const std::string near = nearest(action, {"list", "info", "fetch", "show", "export"});
    throw UsageError(
        fmt::format("[data] expected list, or info, fetch, show or export NAME, received '{}'; {}",
                    name.empty() ? action : action + " " + name,
                    near.empty() ? "see basin data --help" : "did you mean '" + near + "'?"));
  }
  if (name.empty()) {
    throw UsageError(
        fmt::format("[data] expected the name of a data set after {}; see basin data list", action));
  }
  if (action == "info") {
    return info(name);
  }
  if (action == "export") {
    return export_data(name, arguments);
  }
  if (action == "show") {
    const auto out = arguments.text("out");
    if (!out) {
      throw UsageError("[data] expected --out FILE.png of show, received none");
    }
    return show_samples(data_config(name, arguments), *out);
  }
  const int code = fetch(name);
  return interrupted() ? kInterrupted : code;
}

}  // namespace basin::program
