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

}  // namespace

Node parse_toml(std::string_view text, const std::string& name) {
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
