#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"
#include "training/features.h"
#include "training/plan.h"
#include "training/reader.h"

namespace basin {

PixelScale read_scale(const Config& table, const char* key, const std::string& fallback) {
  const std::string name = table.choice(key, {"unit", "threshold", "stochastic"}, fallback);
  return name == "unit"        ? PixelScale::Unit
         : name == "threshold" ? PixelScale::Threshold
                               : PixelScale::Stochastic;
}

namespace {

bool is_image_set(const std::string& name) {
  return name == "leaves" || name == "olshausen" || name == "kodak" || name == "images";
}

/// data.patches
PatchOptions read_patches(const Config& table) {
  const Reader in(table);
  PatchOptions patches;
  patches.size = in.count("size", 2, patches.size);
  if (table.has("margin")) {
    patches.margin = in.count("margin", 0);
  }
  patches.least_variance = in.within("least_variance", 0.0, kInfinity, patches.least_variance);
  patches.remove_mean = table.boolean("remove_mean", patches.remove_mean);
  const std::string contrast = table.choice("contrast", {"none", "local", "patch"}, "none");
  if (contrast == "local") {
    patches.contrast = ContrastNorm::Local;
    patches.window = in.count("window", 3, patches.window);
  } else if (contrast == "patch") {
    patches.contrast = ContrastNorm::Patch;
    patches.contrast_floor = in.within("contrast_floor", 0.0, kInfinity, patches.contrast_floor);
  }
  const std::string whiten = table.choice("whiten", {"none", "pca", "zca"}, "none");
  if (whiten != "none") {
    patches.whiten = whiten == "pca" ? Whiten::Pca : Whiten::Zca;
    patches.epsilon = in.within("epsilon", 0.0, kInfinity, patches.epsilon);
    patches.dimensions = in.count("dimensions", 0, 0);
  }
  patches.unit_variance = table.boolean("unit_variance", patches.unit_variance);
  return patches;
}

}  // namespace

Plan::Data read_data(const Config& config) {
  const Reader in(config.table("data"));
  Plan::Data data;
  std::vector<std::string> known;
  for (const CatalogEntry& entry : catalog()) {
    known.push_back(entry.name);
  }
  known.push_back("features");  // of another experiment's encoder: no data set of its own
  data.name = in.table().choice("name", known);
  data.scale = read_scale(in.table(), "scale", "unit");
  data.threshold = in.within("threshold", 0.0, 1.0, 0.5);
  data.options.train = in.count("train", 0, 0);
  data.options.test = in.count("test", 0, 0);
  data.options.seed = static_cast<std::uint64_t>(in.count("seed", 0, 0));
  if (data.name == "bars_and_stripes" || data.name == "shifter" || data.name == "sparse_signals") {
    data.options.size = in.count("size", 0, 0);
  }
  if (data.name == "bars_and_stripes") {
    data.options.count_plain_twice = in.table().boolean("count_plain_twice", false);
  }
  if (is_image_set(data.name)) {
    data.options.patches = read_patches(in.table().table("patches"));
  }
  if (data.name == "images" || data.name == "features") {
    data.options.path = in.table().text("path");
  }
  if (data.name == "images") {
    data.options.inside = in.table().text("inside", "");
  }
  return data;
}

Dataset load_data(const Plan& plan) {
  const Index few = std::max<Index>(plan.train.batch, 400);
  DatasetOptions options = plan.data.options;
  if (plan.smoke && options.train == 0 && is_image_set(plan.data.name)) {
    options.train = few;
  }
  Dataset data = plan.data.name == "features" ? load_features(plan) : load_dataset(plan.data.name, options);
  if (plan.smoke) {
    data.train = data.train.head(std::min(data.train.count, few));
    data.test = data.test.head(std::min<Index>(data.test.count, 200));
  }
  if (plan.train.batch > data.train.count) {
    throw Error(fmt::format(
        "[experiment] expected train.batch of at most the {} training samples, received {}; lower it",
        data.train.count, plan.train.batch));
  }
  return data;
}

}  // namespace basin
