#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/reader.h"
#include "tensor/error.h"
#include "training/plan.h"

namespace basin {

PixelScale read_pixel_scale(const Config& table, const char* key, const std::string& fallback) {
  const std::string name = table.choice(key, {"unit", "threshold", "stochastic"}, fallback);
  return name == "unit"        ? PixelScale::Unit
         : name == "threshold" ? PixelScale::Threshold
                               : PixelScale::Stochastic;
}

Plan::Data read_data(const Config& config) {
  const Config table = config.table("data");
  DatasetChoice choice = read_dataset(table);
  return {.name = std::move(choice.name),
          .options = std::move(choice.options),
          .scale = read_pixel_scale(table, "scale", "unit"),
          .threshold = Reader(table).within("threshold", 0.0, 1.0, 0.5)};
}

Dataset load_data(const Plan& plan) {
  Index batch = 1;
  for (const StagePlan& stage : plan.stages) batch = std::max(batch, stage.train.batch);
  DatasetOptions options = plan.data.options;
  if (plan.smoke) {
    options.few_train = std::max<Index>(batch, 400);
    options.few_test = 200;
  }
  Dataset data = load_dataset(plan.data.name, options);
  if (batch > data.train.count) {
    throw Error(fmt::format(
        "[experiment] expected train.batch of at most the {} training samples, received {}; lower it",
        data.train.count, batch));
  }
  return data;
}

}  // namespace basin
