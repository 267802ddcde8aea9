#include "results/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/error.h"

namespace basin {

TextTable& TextTable::add(std::vector<std::string> cells) {
  if (cells.size() != rows_.front().size())
    throw Error(fmt::format("[table] expected {} cells, received {}", rows_.front().size(), cells.size()));
  rows_.push_back(std::move(cells));
  return *this;
}

std::string TextTable::aligned() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string TextTable::csv() const {
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool quoted = row[i].find_first_of(",\"\n\r") != std::string::npos;
      std::string cell = row[i];
      for (std::size_t at = 0; (at = cell.find('"', at)) != std::string::npos; at += 2)
        cell.insert(at, 1, '"');
      text += fmt::format("{}{}{}{}", i == 0 ? "" : ",", quoted ? "\"" : "", cell, quoted ? "\"" : "");
    }
    text += "\n";
  }
  return text;
}

std::string number_cell(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "-"; }

}  // namespace basin
