#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "tensor/error.h"
#include "training/features.h"
#include "training/plan.h"

namespace basin {

PixelScale read_scale(const Config& table, const char* key, const std::string& fallback) {
  const std::string name = table.choice(key, {"unit", "threshold", "stochastic"}, fallback);
  return name == "unit"        ? PixelScale::Unit
         : name == "threshold" ? PixelScale::Threshold
                               : PixelScale::Stochastic;
}

Plan::Data read_data(const Config& config) {
  const Config table = config.table("data");
  DatasetChoice choice;
  if (table.has("name") && table.text("name") == "features") {  // of another experiment's encoder
    const Reader in(table);
    choice.name = "features";
    choice.options.path = table.text("path");
    choice.options.train = in.count("train", 0, 0);
    choice.options.test = in.count("test", 0, 0);
  } else {
    choice = read_dataset(table);
  }
  return {.name = std::move(choice.name),
          .options = std::move(choice.options),
          .scale = read_scale(table, "scale", "unit"),
          .threshold = Reader(table).within("threshold", 0.0, 1.0, 0.5)};
}

Dataset load_data(const Plan& plan) {
  const Index few = std::max<Index>(plan.train.batch, 400);
  DatasetOptions options = plan.data.options;
  if (plan.smoke) {
    options.few_train = few;
    options.few_test = 200;
  }
  Dataset data = plan.data.name == "features" ? load_features(plan) : load_dataset(plan.data.name, options);
  if (plan.train.batch > data.train.count) {
    throw Error(fmt::format(
        "[experiment] expected train.batch of at most the {} training samples, received {}; lower it",
        data.train.count, plan.train.batch));
  }
  return data;
}

}  // namespace basin
