#include "data/readers/csv_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"

namespace basin {

CsvRecords::CsvRecords(std::string path, std::string_view text, char separator)
    : path_(std::move(path)), text_(text), separator_(separator) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
}

bool CsvRecords::next() {
  const auto ends = [&] {
    return text_.substr(at_).starts_with("\r\n") || text_.substr(at_).starts_with('\n');
  };
  const auto end_line = [&] {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  };
  cells_.clear();
  unescaped_.clear();
  first_line_ = line_;
  if (text_.find_first_not_of("\r\n", at_) == std::string_view::npos) return false;
  for (;;) {
    cells_.push_back(cell());
    if (at_ == text_.size()) return true;
    if (ends()) {
      end_line();
      return true;
    }
    ++at_;  // the separator
  }
}

std::string_view CsvRecords::cell() {
  if (at_ < text_.size() && text_[at_] == '"') return quoted();
  std::size_t end = at_;
  while (end < text_.size() && text_[end] != separator_ && text_[end] != '\n') ++end;
  if (end > at_ && end < text_.size() && text_[end] == '\n' && text_[end - 1] == '\r') --end;
  const std::string_view found = text_.substr(at_, end - at_);
  at_ = end;
  return found;
}

std::string_view CsvRecords::quoted() {
  const std::size_t begin = ++at_;
  bool doubled = false;
  for (;; ++at_) {
    if (at_ == text_.size()) {
      line_ = first_line_;
      fail(cells_.size(), "the quotes that begin here do not close");
    }
    line_ += text_[at_] == '\n' ? 1 : 0;
    if (text_[at_] != '"') continue;
    if (!text_.substr(at_ + 1).starts_with('"')) break;
    doubled = true;
    ++at_;
  }
  std::string_view found = text_.substr(begin, at_ - begin);
  ++at_;
  const std::string_view rest = text_.substr(at_);
  if (!rest.empty() && rest[0] != separator_ && rest[0] != '\n' && !rest.starts_with("\r\n"))
    fail(cells_.size(), "the quotes close before the cell ends; double a quote that is part of it");
  if (!doubled) return found;
  std::string plain;
  for (std::size_t i = 0; i < found.size(); ++i) {
    plain += found[i];
    i += found[i] == '"' ? 1 : 0;
  }
  return unescaped_.emplace_back(std::move(plain));
}

void CsvRecords::fail(std::size_t cell, const std::string& what) const {
  throw Error(fmt::format("[csv] {}: line {}, column {}: {}", path_, first_line_, cell + 1, what));
}

void CsvRecords::fail_line(const std::string& what) const {
  throw Error(fmt::format("[csv] {}: line {}: {}", path_, first_line_, what));
}

}  // namespace basin
