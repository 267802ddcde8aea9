#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.h"

namespace basin {

/// The lines of a table of text, one after another, cut into cells.
class CsvRecords {
 public:
  /// `text` must outlive this.
  CsvRecords(std::string path, std::string_view text, char separator);

  /// Goes to the next line. False at the end, and where only empty lines follow. Throws Error for quotes that
  /// do not close, or close inside a cell.
  bool next();

  const std::vector<std::string_view>& cells() const { return cells_; }
  /// Throws Error "[csv] PATH: line L, column C: WHAT" of a cell, from 0, of this line.
  [[noreturn]] void fail(std::size_t cell, const std::string& what) const;
  [[noreturn]] void fail_line(const std::string& what) const;

 private:
  std::string_view cell();
  std::string_view quoted();

  std::string path_;
  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  Index line_ = 1, first_line_ = 1;  // where the reader stands; where this record begins
  std::vector<std::string_view> cells_;
  std::deque<std::string> unescaped_;  // cells with doubled quotes
};

}  // namespace basin
