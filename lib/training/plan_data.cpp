#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"
#include "training/plan.h"
#include "training/reader.h"

namespace basin {

PixelScale read_scale(const Config& table, const char* key, const std::string& fallback) {
  const std::string name = table.choice(key, {"unit", "threshold", "stochastic"}, fallback);
  return name == "unit" ? PixelScale::Unit : name == "threshold" ? PixelScale::Threshold : PixelScale::Stochastic;
}

Plan::Data read_data(const Config& config) {
  const Reader in(config.table("data"));
  Plan::Data data;
  std::vector<std::string> known;
  for (const CatalogEntry& entry : catalog()) {
    known.push_back(entry.name);
  }
  data.name = in.table().choice("name", known);
  data.scale = read_scale(in.table(), "scale", "unit");
  data.threshold = in.within("threshold", 0.0, 1.0, 0.5);
  data.options.train = in.count("train", 0, 0);
  data.options.test = in.count("test", 0, 0);
  data.options.seed = static_cast<std::uint64_t>(in.count("seed", 0, 0));
  if (data.name == "bars_and_stripes" || data.name == "shifter") {
    data.options.size = in.count("size", 0, 0);
  }
  if (data.name == "bars_and_stripes") {
    data.options.count_plain_twice = in.table().boolean("count_plain_twice", false);
  }
  return data;
}

Dataset load_data(const Plan& plan) {
  Dataset data = load_dataset(plan.data.name, plan.data.options);
  if (plan.smoke) {
    data.train = data.train.head(std::min<Index>(data.train.count, std::max<Index>(plan.train.batch, 400)));
    data.test = data.test.head(std::min<Index>(data.test.count, 200));
  }
  if (plan.train.batch > data.train.count) {
    throw Error(fmt::format("[experiment] expected train.batch of at most the {} training samples, received {}; lower it", data.train.count,
                            plan.train.batch));
  }
  return data;
}

}  // namespace basin
