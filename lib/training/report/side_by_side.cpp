#include "training/report/side_by_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <variant>

#include "results/results_file.h"
#include "training/history.h"

namespace basin {

std::vector<SideBySideRow> side_by_side(const std::vector<std::map<std::string, std::string>>& said) {
  std::set<std::string> names;
  for (const auto& own : said) {
    for (const auto& [name, text] : own) names.insert(name);
  }
  std::vector<SideBySideRow> rows;
  for (const std::string& name : names) {
    SideBySideRow row{.name = name};
    for (const auto& own : said) {
      const auto found = own.find(name);
      row.differs = row.differs || found == own.end();
      row.cells.push_back(found == own.end() ? "-" : found->second);
    }
    row.differs = row.differs || std::ranges::any_of(row.cells, [&](const std::string& cell) {
                    return cell != row.cells.front();
                  });
    rows.push_back(std::move(row));
  }
  return rows;
}

std::map<std::string, std::string> numbers_of(const Store& results) {
  std::map<std::string, std::string> numbers;
  for (const std::string& name : stage_names(results)) {
    const Store stage = results.group(stage_group(name));
    const std::string before = name == kOnlyStage ? "" : name + ": ";
    for (const std::string& path : stage.list("/evaluation")) {
      const auto* tensor = std::get_if<Tensor>(&stage.entry(path).content);
      if (tensor != nullptr && tensor->size() == 1)
        numbers[before + path.substr(std::string("/evaluation/").size())] =
            fmt::format("{:.6g}", tensor->item());
    }
    if (!stage.list("/evaluation").empty()) continue;
    const History history = History::read(stage);
    for (const auto& [metric, column] : history.epochs().columns) {
      if (!column.empty()) numbers[before + metric] = fmt::format("{:.6g}", column.back());
    }
  }
  return numbers;
}

}  // namespace basin
