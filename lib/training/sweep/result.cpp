#include "training/sweep/result.h"

#include <algorithm>
#include <limits>

#include "results/results_file.h"
#include "training/experiment/record.h"

namespace basin {
namespace {

std::string evaluation_of(const Store& results) {
  const std::vector<std::string> stages = stage_names(results);
  return stages.empty() ? "" : stage_group(stages.back()) + "/evaluation/";
}

}  // namespace

std::optional<Result> find_result(const Store& results, const std::string& metric) {
  const std::string path = evaluation_of(results) + metric;
  if (!results.has(path)) return std::nullopt;
  const auto* tensor = std::get_if<Tensor>(&results.entry(path).content);
  if (tensor == nullptr || tensor->size() != 1) return std::nullopt;
  Result result{.value = tensor->item()};
  if (const auto* better = results.find_attribute(path, "better"))
    result.better = *better == Store::Scalar(std::string("up")) ? Better::Up : Better::Down;
  return result;
}

std::vector<std::string> result_names(const Store& results) {
  const std::string group = evaluation_of(results);
  std::vector<std::string> names;
  if (group.empty()) return names;
  for (const std::string& path : results.list(group.substr(0, group.size() - 1))) {
    const std::string name = path.substr(group.size());
    const std::optional<Result> result = find_result(results, name);
    if (result && result->better != Better::Neither) names.push_back(name);
  }
  return names;
}

std::string telling_result(const Store& results) {
  const std::vector<std::string> names = result_names(results);
  for (const char* part :
       {"test_error", "validation_error", "test_", "validation_", "reconstruction_error", ""}) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      const std::string last = name.substr(name.rfind('/') + 1);
      return std::string(part).ends_with("error") ? name == part : last.starts_with(part);
    });
    if (found != names.end()) return *found;
  }
  return "";
}

double train_seconds(const Store& results) {
  double seconds = 0.0;
  for (const std::string& stage : stage_names(results)) {
    const std::string path = time_of_stage(stage);
    seconds += results.has(path) ? results.number(path) : std::numeric_limits<double>::quiet_NaN();
  }
  return seconds;
}

}  // namespace basin
