#include "training/keys_page.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace basin::test {
namespace {

std::vector<std::string> lines_of(const std::string& page) {
  std::ifstream file(page);
  if (!file) throw std::runtime_error("cannot read " + page);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The cells of "| a | b | c |".
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = std::min(line.find('|', at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return cells;
}

/// Parts of a text between a mark and the next of the same.
std::vector<std::string> between(const std::string& text, char mark) {
  std::vector<std::string> parts;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    const std::size_t end = text.find(mark, at + 1);
    if (end == std::string::npos) break;
    parts.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return parts;
}

bool is_of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '+' || c == '/';
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_of_word(text[end])) ++end;
    if (end > at) words.push_back(text.substr(at, end - at));
    at = std::max(end, at + 1);
  }
  return words;
}

}  // namespace

std::vector<std::string> in_backticks(const std::string& text) { return between(text, '`'); }

std::vector<KeyRow> key_rows(const std::string& page) {
  std::vector<KeyRow> rows;
  std::set<std::string> kinds;
  std::string table;
  bool is_of_keys = false;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("#")) {
      kinds.clear();
      for (const std::string& name : in_backticks(line)) {
        for (const std::string& kind : between(name, '"')) kinds.insert(kind);
      }
    }
    if (!line.starts_with("|")) {
      is_of_keys = false;
      continue;
    }
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() < 3) continue;
    if (cells[0] == " key ") {
      is_of_keys = true;
      table.clear();
    }
    if (!is_of_keys || cells[0] == " key " || cells[0].starts_with(" ---")) continue;
    KeyRow row{.kinds = kinds, .table = {}, .keys = {}, .defaults = cells[1], .text = line};
    const bool is_at_top = cells[0].find("at the top") != std::string::npos;
    for (const std::string& name : in_backticks(cells[0])) {
      if (name.starts_with("[")) {
        table = name.substr(name.find_last_of('[') + 1, name.find(']') - name.find_last_of('[') - 1);
      } else {
        row.keys.push_back(name);
      }
    }
    row.table = is_at_top ? "" : table;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<DatasetRow> dataset_rows(const std::string& page) {
  std::vector<DatasetRow> rows;
  bool is_of_sets = false;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("#")) is_of_sets = line == "### Data sets";
    if (!is_of_sets || !line.starts_with("| `") || line.starts_with("| `name`")) continue;
    rows.push_back(DatasetRow{.names = in_backticks(cells_of(line)[0]), .text = line});
  }
  return rows;
}

bool names_key(const std::string& text, const std::string& key) {
  for (const std::string& part : in_backticks(text)) {
    if (part == key || part.ends_with("." + key) || part.starts_with(key + " =") ||
        part.starts_with(key + "="))
      return true;
    const std::size_t at = part.find(key + " =");
    if (part.starts_with("{") && at != std::string::npos && !is_of_word(part[at - 1])) return true;
  }
  return false;
}

bool names_value(const std::string& cell, const std::string& value) {
  const std::vector<std::string> wanted = words_of(value);
  const std::vector<std::string> words = words_of(cell);
  if (wanted.empty())
    return cell.find(value) != std::string::npos ||
           cell.find(value == "\"\"" ? "none" : "[]") != std::string::npos;
  return std::ranges::all_of(wanted, [&](const std::string& one) {
    return std::ranges::any_of(words, [&](const std::string& word) {
      char *end = nullptr, *other = nullptr;
      const double a = std::strtod(one.c_str(), &end), b = std::strtod(word.c_str(), &other);
      const bool are_numbers = *end == '\0' && *other == '\0';
      return are_numbers ? a == b : one == word;
    });
  });
}

}  // namespace basin::test
