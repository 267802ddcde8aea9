#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.h"

namespace basin {

/// A key that somebody looked for in a table.
struct AskedKey {
  std::string table, key;     // "optimizer", "momentum"
  std::string fallback = {};  // in TOML syntax, what stands for it; "": nothing does, or the document has it
};

/// A strict view of a TOML experiment: every read is remembered, and a key that nobody read is an error.
///
/// All errors are one line "file:line:column: [table] ..." and name the nearest known key or the allowed
/// values.
class Config {
 public:
  /// Throws Error when the file cannot be read or is not TOML.
  static Config load(const std::string& path);
  static Config parse(std::string_view text, std::string name = "<text>");

  /// "optimizer.learning_rate=0.05": value in TOML syntax; a bare word counts as a string. Throws Error on a
  /// malformed setting or when the path leads through something that is not a table. (Unknown keys are found
  /// by finish().) A table of an array is named by its number or its key `name`: "stages.0.train.epochs=5",
  /// "stages.first.train.epochs=5".
  void set(std::string_view setting);
  /// The same with a value that stands in a file already: messages name its place there.
  void set(std::string_view path, const Node& value);

  /// Takes a key of this table out of the document, as if it had not been written: for tables that are not
  /// of the experiment itself. Empty when it is not there.
  std::optional<Node> take_out(std::string_view key);

  bool has(std::string_view key) const;
  /// A sub-table; an absent one reads as empty.
  Config table(std::string_view key) const;
  /// The keys of this table, in the order in which they were given: for tables whose keys are free.
  std::vector<std::string> keys() const;
  /// An array of tables; absent reads as empty.
  std::vector<Config> tables(std::string_view key) const;

  double number(std::string_view key,
                std::optional<double> fallback = std::nullopt) const;  // integers are numbers too
  std::int64_t integer(std::string_view key, std::optional<std::int64_t> fallback = std::nullopt) const;
  bool boolean(std::string_view key, std::optional<bool> fallback = std::nullopt) const;
  std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt) const;
  /// A table whose keys are free, each with a number: { "first" = 0.1, "y.z." = 0.5 }, in that order. Absent
  /// reads as empty.
  std::vector<std::pair<std::string, double>> factors(std::string_view key) const;
  /// A text out of a list. Throws Error naming the nearest allowed one.
  std::string choice(std::string_view key, const std::vector<std::string>& allowed,
                     std::optional<std::string> fallback = std::nullopt) const;
  std::vector<std::string> texts(std::string_view key,
                                 std::optional<std::vector<std::string>> fallback = std::nullopt) const;
  std::vector<double> numbers(std::string_view key,
                              std::optional<std::vector<double>> fallback = std::nullopt) const;

  /// Throws Error "[where] what" with this key's file, line and column: for a value that is well-typed but
  /// not acceptable. A key that nobody wrote is named with the value that stands for it.
  [[noreturn]] void fail(std::string_view key, const std::string& what) const;

  /// Where this table stands: "file:line:column".
  std::string place() const;

  /// To call when all is read: throws Error for the first key nobody read, naming the nearest key that
  /// somebody asked for.
  void finish() const;
  /// All keys that were looked for so far, by table: what a page about them has to name.
  std::vector<AskedKey> asked() const;
  /// Every value read below this table, defaults included, as TOML text, ordered as first read; leaves out
  /// the tables and keys of this one that are named.
  std::string resolved(const std::vector<std::string>& without = {}) const;
  /// The text as given (with settings applied after it as comments).
  std::string given() const;

 private:
  struct Document;
  std::shared_ptr<Document> document_;
  std::string path_;  // of this table inside the document
};

}  // namespace basin
