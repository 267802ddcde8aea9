#pragma once

#include <set>
#include <string>
#include <vector>

namespace basin::test {

/// A row of a table of keys in experiments/README.md.
struct KeyRow {
  std::set<std::string> kinds;    // of models that its section is about; none: all
  std::string table;              // "optimizer"; "" at the top
  std::vector<std::string> keys;  // of its first cell
  std::string defaults, text;     // its second cell; all of it
};

/// The rows of the page's tables whose first column is "key", but for those of [sweep] and [select].
std::vector<KeyRow> key_rows(const std::string& page);

/// A row of the table of data sets: what it says of keys of its own.
struct DatasetRow {
  std::vector<std::string> names;
  std::string text;
};
std::vector<DatasetRow> dataset_rows(const std::string& page);

/// All that stands between backticks.
std::vector<std::string> in_backticks(const std::string& text);

/// Whether a text names a key: `key`, `table.key`, `key = ...`, or one of `{ key = ..., key = ... }`.
bool names_key(const std::string& text, const std::string& key);

/// Whether one of the words of a cell is this value in TOML syntax.
bool names_value(const std::string& cell, const std::string& value);

}  // namespace basin::test
