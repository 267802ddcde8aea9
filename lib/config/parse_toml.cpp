#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "config/node.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::string place(const std::string& name, const toml::source_position& at) {
  return fmt::format("{}:{}:{}", name, at.line, at.column);
}

Node convert(const toml::node& source, const std::string& name);

Node convert_table(const toml::table& source, const std::string& name) {
  // toml++ keeps the keys in alphabetical order; people expect their own.
  std::vector<std::pair<toml::source_position, Node>> children;
  for (const auto& [key, value] : source) {
    Node child = convert(value, name);
    child.key = std::string(key.str());
    child.key_place = place(name, key.source().begin);
    children.emplace_back(key.source().begin, std::move(child));
  }
  std::stable_sort(children.begin(), children.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Node table = Node::table();
  for (auto& child : children) {
    table.children.push_back(std::move(child.second));
  }
  return table;
}

template <class T>
std::string as_written(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

Node convert_leaf(const toml::node& source) {
  switch (source.type()) {
    case toml::node_type::boolean:
      return Node::of(source.as_boolean()->get());
    case toml::node_type::integer:
      return Node::of(std::int64_t{source.as_integer()->get()});
    case toml::node_type::floating_point:
      return Node::of(source.as_floating_point()->get());
    case toml::node_type::string:
      return Node::of(source.as_string()->get());
    default: {
      Node date;
      date.kind = Node::Kind::Date;
      if (const auto* day = source.as_date()) {
        date.text = as_written(day->get());
      } else if (const auto* time = source.as_time()) {
        date.text = as_written(time->get());
      } else if (const auto* both = source.as_date_time()) {
        date.text = as_written(both->get());
      }
      return date;
    }
  }
}

Node convert(const toml::node& source, const std::string& name) {
  Node node;
  if (const toml::table* table = source.as_table()) {
    node = convert_table(*table, name);
  } else if (const toml::array* array = source.as_array()) {
    node = Node::array({});
    for (const toml::node& item : *array) {
      node.children.push_back(convert(item, name));
    }
  } else {
    node = convert_leaf(source);
  }
  node.place = place(name, source.source().begin);
  return node;
}

/// The text behind a string that begins at `at`, which counts as part of a key or a value. An unfinished one
/// ends with its line, or with the text; the parser complains of it.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool is_long = text.substr(at).starts_with(three);
  for (std::size_t i = at + (is_long ? 3 : 1); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (is_long ? text.substr(i).starts_with(three) : text[i] == quote || text[i] == '\n') {
      return i + (is_long ? 3 : 1);
    }
  }
  return text.size();
}

/// Throws Error where names with dots and brackets lead deeper than kDeepest: whoever walks such tables, the
/// parser included, would run out of stack.
void check_depth(std::string_view text, const std::string& name) {
  std::vector<std::size_t> open;  // steps down to each open bracket from the one around it
  std::size_t depth = 0, dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = behind_string(text, i) - 1;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '\n' || c == ',') {
      dots = 0;
    } else if (c == '.') {
      ++dots;
    } else if (c == '[' || c == '{') {
      open.push_back(dots + 1);
      depth += open.back();
      dots = 0;
    } else if ((c == ']' || c == '}') && !open.empty()) {
      depth -= open.back();
      open.pop_back();
      dots = 0;
    }
    if (depth + dots > kDeepest) {
      const std::string_view before = text.substr(0, i);
      const auto line = std::count(before.begin(), before.end(), '\n') + 1;
      const std::size_t column = i - (before.find_last_of('\n') + 1) + 1;
      throw Error(
          fmt::format("{}:{}:{}: expected tables at most {} deep inside each other, received deeper ones",
                      name, line, column, kDeepest));
    }
  }
}

}  // namespace

Node parse_toml(std::string_view text, const std::string& name) {
  check_depth(text, name);
  try {
    return convert(toml::parse(text), name);
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    std::replace_if(
        reason.begin(), reason.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    throw Error(fmt::format("{}: not valid TOML: {}", place(name, error.source().begin), reason));
  }
}

}  // namespace basin
