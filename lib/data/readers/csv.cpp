#include "data/readers/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>

#include "config/nearest.h"
#include "data/readers/byte_source.h"
#include "data/readers/csv_records.h"
#include "results/files/atomic_file.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The text of a number alone, blanks around it left out. None: it is something else.
template <class T>
std::optional<T> parse(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// As a message shows a cell: short, on one line.
std::string shown(std::string_view cell) {
  constexpr std::size_t kMost = 40;
  if (trimmed(cell).empty()) return "nothing";
  std::string text(cell.substr(0, kMost));
  return fmt::format("'{}{}'", one_line(std::move(text)), cell.size() > kMost ? "..." : "");
}

/// What is known of the whole file before anything is kept of it.
struct Outline {
  std::vector<std::string> header;  // of the first line, {} without one
  std::size_t width = 0;
  std::uint64_t rows = 0;
};

Outline outline(const std::string& path, const std::string& text, const CsvOptions& options) {
  if (const std::size_t zero = text.find('\0'); zero != std::string::npos) {
    throw Error(fmt::format(
        "[csv] {}: expected text in UTF-8, received a byte 0 in line {}; is it packed, or "
        "in another encoding?",
        path, 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n')));
  }
  CsvRecords records(path, text, options.separator);
  Outline found;
  if (!records.next()) records.fail_line("expected a table, received an empty file");
  found.width = records.cells().size();
  if (options.header) {
    for (std::size_t i = 0; i < found.width; ++i) {
      if (parse<double>(records.cells()[i]))
        records.fail(i, fmt::format("expected the names of the columns in the first line, received {}; say "
                                    "header = false where the file has no such line",
                                    shown(records.cells()[i])));
      found.header.push_back(one_line(std::string(trimmed(records.cells()[i]))));
    }
  } else {
    found.rows = 1;
  }
  while (records.next()) {
    if (records.cells().size() != found.width)
      records.fail_line(
          fmt::format("expected {} cells as in the first line, received {}; is the separator "
                      "'{}'?",
                      found.width, records.cells().size(), options.separator));
    ++found.rows;
  }
  if (found.rows == 0) records.fail_line("expected samples below the first line, received none");
  return found;
}

/// The cells that a place names, from 0; {} for "*".
std::vector<std::size_t> cells_of(const std::string& path, const std::string& place, const Outline& file) {
  const auto named = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(file.header, name);
    if (found == file.header.end()) return std::nullopt;
    if (std::ranges::count(file.header, name) > 1)
      throw Error(
          fmt::format("[csv] {}: the first line names '{}' twice; take it by its number", path, name));
    return static_cast<std::size_t>(found - file.header.begin());
  };
  const auto numbered = [&](std::string_view text) -> std::optional<std::size_t> {
    const auto number = parse<std::size_t>(text);
    return number && *number >= 1 && *number <= file.width ? std::optional(*number - 1) : std::nullopt;
  };
  if (const auto cell = named(trimmed(place))) return {*cell};
  if (trimmed(place) == "*") return {};
  std::vector<std::size_t> cells;
  for (std::size_t begin = 0; begin <= place.size();) {
    const std::size_t end = std::min(place.find(',', begin), place.size());
    const std::string part(trimmed(std::string_view(place).substr(begin, end - begin)));
    begin = end + 1;
    const std::size_t dash = part.find('-');
    std::optional<std::size_t> first = named(part), last = first;
    if (!first) first = last = numbered(part);
    if (!first && dash != std::string::npos) {
      first = numbered(part.substr(0, dash));
      last = numbered(part.substr(dash + 1));
    }
    if (!first || !last || *first > *last) {
      throw Error(fmt::format("[csv] {}: has no column '{}'; expected a number from 1 to {}{}", path, part,
                              file.width,
                              file.header.empty() ? "" : " or a name; " + suggestion(part, file.header)));
    }
    for (std::size_t cell = *first; cell <= *last; ++cell) cells.push_back(cell);
  }
  return cells;
}

/// The cells of every column; what "*" leaves out is known once the others are.
std::vector<std::vector<std::size_t>> find_cells(const std::string& path,
                                                 const std::vector<CsvColumn>& columns, const Outline& file) {
  std::vector<std::vector<std::size_t>> found;
  std::vector<const std::string*> taken(file.width, nullptr);
  for (const CsvColumn& column : columns) {
    found.push_back(cells_of(path, column.place, file));
    for (const std::size_t cell : found.back()) {
      if (taken[cell] != nullptr)
        throw Error(fmt::format("[csv] {}: column {} of the file is taken twice, by '{}' and '{}'", path,
                                cell + 1, *taken[cell], column.name));
      taken[cell] = &column.name;
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!found[i].empty()) continue;
    for (std::size_t cell = 0; cell < file.width; ++cell) {
      if (taken[cell] == nullptr) found[i].push_back(cell);
    }
    if (found[i].empty())
      throw Error(fmt::format("[csv] {}: no column of the file is left for '{}'", path, columns[i].name));
    for (const std::size_t cell : found[i]) taken[cell] = &columns[i].name;
    if (columns[i].classes != 0 && found[i].size() > 1)
      throw Error(fmt::format("[csv] {}: '{}' holds categories; name its column in place of '*'", path,
                              columns[i].name));
  }
  return found;
}

/// Words or numbers of a column of categories, as they come.
class Categories {
 public:
  void add(const CsvRecords& records, std::size_t cell) {
    const std::string text(trimmed(records.cells()[cell]));
    if (text.empty()) records.fail(cell, "expected a category, received nothing");
    indices_.push_back(seen_.try_emplace(text, static_cast<std::int32_t>(seen_.size())).first->second);
  }

  Column column(const std::string& path, const CsvColumn& wish, ClassNames& names) const {
    const auto fail = [&](const std::string& what) {
      throw Error(fmt::format("[csv] {}: expected {} of '{}', received {}", path,
                              "categories 0, 1, ... or words", wish.name, what));
    };
    const bool are_numbers =
        std::ranges::all_of(seen_, [](const auto& entry) { return parse<double>(entry.first).has_value(); });
    const auto known = names.find(wish.name);
    if (known != names.end() && known->second.empty() != are_numbers)
      fail(are_numbers ? "numbers, where the training samples have words"
                       : "words, where the training samples have numbers");
    std::vector<std::string> words;
    if (known != names.end()) {
      words = known->second;
    } else if (!are_numbers) {
      for (const auto& [text, index] : seen_) words.push_back(text);
    }
    std::vector<std::int32_t> values(seen_.size());
    std::int32_t largest = static_cast<std::int32_t>(words.size()) - 1;
    for (const auto& [text, index] : seen_) {
      std::int32_t& value = values[static_cast<std::size_t>(index)];
      if (are_numbers) {
        const double number = *parse<double>(text);
        if (!(number >= 0.0 && number < std::numeric_limits<std::int32_t>::max()) ||
            number != std::floor(number))
          fail(shown(text));
        value = static_cast<std::int32_t>(number);
      } else if ((value = class_of(words, text)) < 0) {
        fail(shown(text) + ", which no training sample has");
      }
      largest = std::max(largest, value);
    }
    names[wish.name] = words;
    std::vector<std::int32_t> labels(indices_.size());
    std::ranges::transform(indices_, labels.begin(),
                           [&](std::int32_t index) { return values[static_cast<std::size_t>(index)]; });
    const Index classes = wish.classes < 0 ? std::max<Index>(2, Index{largest} + 1) : wish.classes;
    return integer_column(wish.name, {}, std::move(labels), classes);
  }

 private:
  std::map<std::string, std::int32_t> seen_;  // in the order in which they came
  std::vector<std::int32_t> indices_;
};

/// The numbers of a column as they come.
struct Cells {
  std::vector<double> reals;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> integers;
  Categories categories;

  void add(const CsvRecords& records, std::size_t cell, const CsvColumn& wish) {
    const std::string_view text = records.cells()[cell];
    if (wish.classes != 0) return categories.add(records, cell);
    const auto expect = [&](const auto& value, const char* what) {
      if (!value)
        records.fail(cell, fmt::format("expected {} of '{}', received {}", what, wish.name, shown(text)));
      return *value;
    };
    if (wish.kind == ColumnKind::Bytes) {
      bytes.push_back(expect(parse<std::uint8_t>(text), "a whole number from 0 to 255"));
    } else if (wish.kind == ColumnKind::Integers) {
      integers.push_back(expect(parse<std::int32_t>(text), "a whole number of 32 bits"));
    } else {
      std::optional<double> value = parse<double>(text);
      if (value && !std::isfinite(*value)) value.reset();
      reals.push_back(expect(value, "a finite number"));
    }
  }

  Column column(const std::string& path, const CsvColumn& wish, const Shape& sample, Index rows,
                ClassNames& names) {
    if (wish.classes != 0) return categories.column(path, wish, names);
    if (wish.kind == ColumnKind::Bytes) return byte_column(wish.name, sample, std::move(bytes));
    if (wish.kind == ColumnKind::Integers) return integer_column(wish.name, sample, std::move(integers));
    Shape shape = sample;
    shape.insert(shape.begin(), rows);
    return real_column(wish.name,
                       Tensor::from(std::span<const double>(reals), shape, {Dtype::F64, Device::Cpu}));
  }
};

}  // namespace

std::int32_t class_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::ranges::lower_bound(names, name);
  return found == names.end() || *found != name ? -1 : static_cast<std::int32_t>(found - names.begin());
}

std::vector<Column> read_csv(const std::string& path, const std::vector<CsvColumn>& columns,
                             const CsvOptions& options, ClassNames& names, const ImportLimit& limit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error(fmt::format("[csv] {}: expected an ordinary file, found none; check the path", path));
  const std::uint64_t length = std::filesystem::file_size(path, error);
  limit.take("[csv] " + path, length);
  const std::string text = read_whole(path);
  const Outline file = outline(path, text, options);
  const std::vector<std::vector<std::size_t>> cells = find_cells(path, columns, file);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool is_named = columns[i].place.find_first_not_of("0123456789-, *") != std::string::npos;
    if (file.header.empty() || is_named) continue;
    std::vector<std::string> own;
    for (const std::size_t cell : cells[i]) own.push_back(file.header[cell]);
    const auto [known, is_first] = names.try_emplace("cells of " + columns[i].name, own);
    const auto other = std::ranges::mismatch(known->second, own);
    if (is_first || (other.in1 == known->second.end() && other.in2 == own.end())) continue;
    throw Error(
        fmt::format("[csv] {}: expected the cells of '{}' to be those of the training samples, in their "
                    "order, received '{}' for '{}'; list their names in columns and test_columns",
                    path, columns[i].name, other.in2 == own.end() ? "none" : *other.in2,
                    other.in1 == known->second.end() ? "none" : *other.in1));
  }
  std::vector<Cells> made(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool is_real = columns[i].classes == 0 && columns[i].kind == ColumnKind::Reals;
    const std::uint64_t bytes = is_real                                ? sizeof(double)
                                : columns[i].kind == ColumnKind::Bytes ? 1
                                                                       : sizeof(std::int32_t);
    const auto needed = checked_product<std::uint64_t>({bytes, file.rows, cells[i].size()});
    limit.take(fmt::format("[csv] {}: column '{}'", path, columns[i].name), needed, needed);
    const std::size_t numbers = file.rows * cells[i].size();
    if (is_real) made[i].reals.reserve(numbers);
    if (bytes == 1) made[i].bytes.reserve(numbers);
  }
  CsvRecords records(path, text, options.separator);
  if (options.header) records.next();
  while (records.next()) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (const std::size_t cell : cells[i]) made[i].add(records, cell, columns[i]);
    }
  }
  std::vector<Column> result;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool is_one = cells[i].size() == 1 && trimmed(columns[i].place) != "*";
    result.push_back(made[i].column(path, columns[i],
                                    is_one ? Shape{} : Shape{static_cast<Index>(cells[i].size())},
                                    static_cast<Index>(file.rows), names));
    made[i] = {};
  }
  limit.give_back(length);
  return result;
}

}  // namespace basin
