#include "training/experiment/expected.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <optional>

#include "config/article.h"
#include "config/nearest.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/history.h"
#include "training/measures/measure.h"

namespace basin {
namespace {

/// A number of the evaluation, else the last epoch's.
std::optional<double> find_number(const Store& results, const std::string& name) {
  if (const std::string path = "/evaluation/" + name; results.has(path)) {
    const auto* tensor = std::get_if<Tensor>(&results.entry(path).content);
    if (tensor != nullptr && tensor->size() == 1) return tensor->item();
  }
  const History history = History::read(results);
  const auto found = history.epochs().columns.find(name);
  if (found == history.epochs().columns.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

/// A row of /expect.
struct Judged {
  std::string name;
  double value, low, high;  // NaN: was not measured

  bool missed() const { return !(value >= low && value <= high); }
};

std::vector<Judged> judged_numbers(const Store& results) {
  if (!results.has("/expect")) return {};
  const std::vector<std::string> names = results.texts("/expect/name");
  const std::vector<double> values = results.numbers("/expect/value"), low = results.numbers("/expect/low"),
                            high = results.numbers("/expect/high");
  std::vector<Judged> judged;
  for (std::size_t i = 0; i < names.size(); ++i)
    judged.push_back({names[i], values.at(i), low.at(i), high.at(i)});
  return judged;
}

}  // namespace

std::vector<ExpectedNumber> read_expected(const Config& table) {
  std::vector<ExpectedNumber> expected;
  for (const std::string& name : table.keys()) {
    const std::vector<double> ends = table.numbers(name);
    if (ends.size() != 2 || !(ends[0] <= ends[1])) {
      table.fail(name, fmt::format("expected [lowest, highest], received [{}]", fmt::join(ends, ", ")));
    }
    expected.push_back({.name = name, .low = ends[0], .high = ends[1]});
  }
  return expected;
}

void check_expected(const std::vector<ExpectedNumber>& expected, const Stage& stage,
                    const std::string& where) {
  for (const ExpectedNumber& number : expected) {
    if (is_measured(stage, number.name)) continue;
    throw Error(fmt::format("[{}] expected a number that {} is measured by, received '{}'; {}", where,
                            with_article(stage.kind), number.name,
                            suggestion(number.name, numbers_of(stage))));
  }
}

std::string judge_expected(const std::vector<ExpectedNumber>& expected, Store& results) {
  results.remove("/expect");
  if (expected.empty()) return "";
  std::vector<std::string> names;
  std::vector<double> values, low, high;
  for (const ExpectedNumber& number : expected) {
    names.push_back(number.name);
    values.push_back(find_number(results, number.name).value_or(std::numeric_limits<double>::quiet_NaN()));
    low.push_back(number.low);
    high.push_back(number.high);
  }
  results.put_texts("/expect/name", std::move(names));
  results.put("/expect/value", std::move(values));
  results.put("/expect/low", std::move(low));
  results.put("/expect/high", std::move(high));
  return expected_lines(results);
}

std::string expected_lines(const Store& results) {
  std::string text;
  for (const Judged& number : judged_numbers(results)) {
    text += fmt::format("{:12} {} {}, {} [{:.6g}, {:.6g}]\n", number.missed() ? "MISSED" : "expected",
                        number.name,
                        std::isnan(number.value) ? "was not measured" : fmt::format("{:.6g}", number.value),
                        number.missed() ? "expected in" : "in", number.low, number.high);
  }
  return text;
}

std::vector<std::string> missed_numbers(const Store& file) {
  std::vector<std::string> missed;
  for (const std::string& stage : stage_names(file)) {
    for (const Judged& number : judged_numbers(file.group(stage_group(stage)))) {
      if (number.missed())
        missed.push_back(stage == kOnlyStage ? number.name : fmt::format("{}: {}", stage, number.name));
    }
  }
  return missed;
}

}  // namespace basin
