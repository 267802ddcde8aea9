#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace basin {

/// Tables lie at most so deep inside each other.
inline constexpr std::size_t kDeepest = 64;

/// One value of a TOML document: a leaf, an array or a table, with the place where it was written
/// ("file:line:column").
struct Node {
  enum class Kind { Boolean, Integer, Number, Text, Date, Array, Table };

  Kind kind = Kind::Table;
  std::string key;        // name inside the parent table; empty inside an array
  std::string key_place;  // where that name stands
  std::string place;      // where the value stands
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0.0;
  std::string text;            // of a text; of a date as written
  std::vector<Node> children;  // of arrays and tables, in the order of the document

  static Node table(std::string key = {});
  static Node array(std::vector<Node> items);
  static Node of(bool value);
  static Node of(std::int64_t value);
  static Node of(double value);
  static Node of(std::string value);

  bool is_table() const { return kind == Kind::Table; }
  /// An array whose items are all tables; an empty array is one too.
  bool is_array_of_tables() const;
  /// The child of that name in a table; nullptr when there is none.
  const Node* find(std::string_view name) const;
};

/// "an integer", "a text", ...: for messages.
std::string describe(Node::Kind kind);

/// Parses TOML. `name` is the file's name in messages and places. Throws Error "name:line:column: reason".
Node parse_toml(std::string_view text, const std::string& name);

/// The table as a TOML document: first the values, then the sub-tables, each in the order of `children`.
/// Numbers carry the fewest digits that read back as the same double, and always a point or an exponent.
std::string format_toml(const Node& table);

/// One value in TOML syntax, on one line.
std::string format_value(const Node& node);

/// "a.b[2].c" as its steps "a", "b", "[2]", "c".
std::vector<std::string> split_path(std::string_view path);

}  // namespace basin
