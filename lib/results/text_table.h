#pragma once

#include <string>
#include <vector>

namespace basin {

/// Cells of text in rows, the first of which names the columns.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> names) : rows_{std::move(names)} {}

  /// Throws Error unless there is a cell for each name.
  TextTable& add(std::vector<std::string> cells);

  /// All of it, the names first.
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }
  /// For people: columns under each other, two blanks between.
  std::string aligned() const;
  /// For programs: RFC 4180, lines ended by LF.
  std::string csv() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A number as a cell: six digits, or "-" for one that is not finite.
std::string number_cell(double value);

}  // namespace basin
