#include "results/results_file.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>
#include <variant>

#include "tensor/error.h"

namespace basin {
namespace {

/// Version 1 named some keys otherwise, and had layers that learned from the features of another file.
std::string in_todays_keys(const std::string& resolved) {
  std::istringstream lines(resolved);
  std::string text, rates;
  for (std::string line; std::getline(lines, line);) {
    const bool is_features_path =
        line.starts_with("path = ") && text.find("name = \"features\"") != std::string::npos;
    if (line.starts_with("likeness = ")) line.replace(0, 8, "coherence");
    if (line.starts_with("encoder_rate = ")) {
      rates = fmt::format("[optimizer.rates]\n\"y.z.\" = {}\n", line.substr(line.find('=') + 2));
    } else if (!is_features_path) {
      text += line + "\n";
    }
  }
  return text + "\n" + rates;
}

/// Version 1: everything of the one stage lay at the root, what it is in /experiment.
void lift(Store& store) {
  Store stage, experiment = store.group("/experiment");
  for (const char* group : {"parameters", "optimizer", "average", "carry", "metrics", "evaluation",
                            "checkpoint", "preprocessing"}) {
    stage.put_group(group, store.group(group));
    store.remove(group);
  }
  for (const char* text : {"kind", "objective"}) {
    if (experiment.has(text)) stage.put_text(text, experiment.text(text));
    experiment.remove(text);
  }
  for (const char* texts : {"rules", "factors"}) {
    if (experiment.has(texts)) stage.put_texts(texts, experiment.texts(texts));
    experiment.remove(texts);
  }
  if (experiment.has("sample_shape")) stage.put("sample_shape", experiment.integers("sample_shape"));
  experiment.remove("sample_shape");
  experiment.put_texts("stages", {kOnlyStage});
  if (experiment.has("resolved"))
    experiment.put_text("resolved", in_todays_keys(experiment.text("resolved")));
  store.put_group("/experiment", experiment);
  store.put_group(stage_group(kOnlyStage), stage);
}

}  // namespace

Store load_results(const std::string& path) {
  Store store = Store::load(path);
  std::int64_t version = 0;
  try {
    if (std::get<std::string>(store.attribute("", "format")) != "basin results")
      throw Error("another format");
    version = std::get<std::int64_t>(store.attribute("", "format_version"));
  } catch (const std::exception&) {
    throw Error(
        fmt::format("[results] {}: expected a results file of basin, received another HDF5 file", path));
  }
  if (version < 1 || version > kFormatVersion) {
    throw Error(
        fmt::format("[results] {}: expected format version 1 to {}, received {}; a newer basin wrote it, "
                    "use that one",
                    path, kFormatVersion, version));
  }
  if (version == 1) lift(store);
  return store;
}

std::int64_t format_version(const Store& results) {
  return std::get<std::int64_t>(results.attribute("", "format_version"));
}

std::vector<std::string> stage_names(const Store& results) { return results.texts("/experiment/stages"); }

std::string stage_group(const std::string& stage) { return "/stages/" + stage; }

}  // namespace basin
