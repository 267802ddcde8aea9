#include "config/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tensor/error.h"

namespace basin {
namespace {

/// Item number of a step "[2]"; -1 for a name.
std::int64_t item_of(const std::string& step) {
  if (step.size() < 3 || step.front() != '[' || step.back() != ']') {
    return -1;
  }
  std::int64_t item = -1;
  const auto [end, error] = std::from_chars(step.data() + 1, step.data() + step.size() - 1, item);
  return error == std::errc() && end == step.data() + step.size() - 1 ? item : -1;
}

const Node* child_of(const Node& node, const std::string& step) {
  const std::int64_t item = item_of(step);
  if (item < 0) {
    return node.find(step);
  }
  const bool is_there =
      node.kind == Node::Kind::Array && item < static_cast<std::int64_t>(node.children.size());
  return is_there ? &node.children[static_cast<std::size_t>(item)] : nullptr;
}

Node* child_of(Node& node, const std::string& step) {
  return const_cast<Node*>(child_of(static_cast<const Node&>(node), step));
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_path(std::string_view path) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '[' || c == ']';
  };
  return !path.empty() && path.front() != '.' && path.back() != '.' &&
         path.find("..") == std::string_view::npos && std::all_of(path.begin(), path.end(), is_allowed);
}

bool is_bare_word(std::string_view value) {
  return !value.empty() && value.find_first_of(" \t\"'[]{}=#,\\") == std::string_view::npos;
}

Node parse_value(std::string_view value, const std::string& origin) {
  Node node;
  try {
    Node table = parse_toml(fmt::format("value = {}", value), origin);
    if (table.children.size() != 1) {
      throw Error("more than one value");
    }
    node = std::move(table.children.front());
  } catch (const Error&) {
    if (!is_bare_word(value)) {
      throw Error(
          fmt::format("{}: expected a value in TOML syntax or a bare word, received '{}'", origin, value));
    }
    node = Node::of(std::string(value));
  }
  return node;
}

void set_place(Node& node, const std::string& place) {
  node.place = place;
  node.key_place = place;
  for (Node& child : node.children) {
    set_place(child, place);
  }
}

}  // namespace

const Node* find_path(const Node& root, std::string_view path) {
  const Node* node = &root;
  for (const std::string& step : split_path(path)) {
    node = child_of(*node, step);
    if (node == nullptr) {
      return nullptr;
    }
  }
  return node;
}

Node& make_path(Node& root, std::string_view path) {
  Node* node = &root;
  for (const std::string& step : split_path(path)) {
    Node* next = child_of(*node, step);
    if (next == nullptr) {
      next = &node->children.emplace_back(Node::table(step));
    }
    node = next;
  }
  return *node;
}

void apply_setting(Node& root, std::string_view setting) {
  std::string origin = fmt::format("--set {}", setting);
  const bool is_one_line = origin.find_first_of("\n\r") == std::string::npos;
  std::replace_if(
      origin.begin(), origin.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const std::size_t equals = setting.find('=');
  const std::string_view path = trim(setting.substr(0, std::min(equals, setting.size())));
  if (equals == std::string_view::npos || !is_path(path) || !is_one_line) {
    throw Error(fmt::format("{}: expected key=value or table.key=value", origin));
  }
  Node value = parse_value(trim(setting.substr(equals + 1)), origin);
  set_place(value, origin);

  // Everything on the way must be a table (or an item of an array): checked before anything is changed.
  const std::vector<std::string> steps = split_path(path);
  const Node* node = &root;
  std::string so_far;
  for (const std::string& step : steps) {
    const bool is_item = step.front() == '[';
    const Node* next = node == nullptr ? nullptr : child_of(*node, step);
    if (is_item && next == nullptr) {
      throw Error(fmt::format("{}: there is no item {} in '{}'", origin, step, so_far));
    }
    if (!is_item && node != nullptr && !node->is_table()) {
      throw Error(fmt::format("{}: expected a table, but '{}' is {} ({}), which has no '{}'", origin, so_far,
                              describe(node->kind), node->place, step));
    }
    so_far += (is_item || so_far.empty() ? "" : ".") + step;
    node = next;
  }

  Node* slot = &root;
  for (const std::string& step : steps) {
    Node* next = child_of(*slot, step);
    if (next == nullptr) {
      next = &slot->children.emplace_back(Node::table(step));
      set_place(*next, origin);
    }
    slot = next;
  }
  value.key = slot->key;
  *slot = std::move(value);
}

}  // namespace basin
