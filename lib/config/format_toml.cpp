#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/node.h"

namespace basin {
namespace {

std::string format_number(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  // Without a point or an exponent it would read back as an integer.
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string format_text(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string format_key(const std::string& key) {
  const auto is_bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), is_bare) ? key : format_text(key);
}

bool has_own_section(const Node& node) {
  return node.is_table() || (node.is_array_of_tables() && !node.children.empty());
}

void append(const Node& table, const std::string& path, std::string& out) {
  for (const Node& child : table.children) {
    if (!has_own_section(child)) {
      out += fmt::format("{} = {}\n", format_key(child.key), format_value(child));
    }
  }
  for (const Node& child : table.children) {
    if (!has_own_section(child)) {
      continue;
    }
    const std::string name = path.empty() ? format_key(child.key) : path + "." + format_key(child.key);
    const std::string gap = out.empty() ? "" : "\n";
    if (child.is_table()) {
      out += fmt::format("{}[{}]\n", gap, name);
      append(child, name, out);
      continue;
    }
    for (const Node& item : child.children) {
      out += fmt::format("{}[[{}]]\n", out.empty() ? "" : "\n", name);
      append(item, name, out);
    }
  }
}

}  // namespace

std::string format_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::Boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::Integer:
      return fmt::format("{}", node.integer);
    case Node::Kind::Number:
      return format_number(node.number);
    case Node::Kind::Text:
      return format_text(node.text);
    case Node::Kind::Date:
      return node.text;
    case Node::Kind::Array:
    case Node::Kind::Table:
      break;
  }
  std::vector<std::string> parts;
  for (const Node& child : node.children) {
    parts.push_back(node.is_table() ? fmt::format("{} = {}", format_key(child.key), format_value(child))
                                    : format_value(child));
  }
  if (node.is_table()) {
    return parts.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(parts, ", "));
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string format_toml(const Node& table) {
  std::string out;
  append(table, "", out);
  return out;
}

}  // namespace basin
