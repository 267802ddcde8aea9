#include "config/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

/// Item number of a step "[2]", or "2" inside an array; -1 for a name.
std::int64_t item_of(const std::string& step) {
  const bool in_brackets = step.size() > 2 && step.front() == '[' && step.back() == ']';
  const char* begin = step.data() + (in_brackets ? 1 : 0);
  const char* end = step.data() + step.size() - (in_brackets ? 1 : 0);
  std::int64_t item = -1;
  const auto [stop, error] = std::from_chars(begin, end, item);
  return error == std::errc() && stop == end ? item : -1;
}

/// Names of the tables in an array: the texts of their keys `name`, "" where there is none.
std::vector<std::string> names_of(const Node& array) {
  std::vector<std::string> names;
  for (const Node& item : array.children) {
    const Node* name = item.find("name");
    names.push_back(name != nullptr && name->kind == Node::Kind::Text ? name->text : "");
  }
  return names;
}

/// A step into a table is a name; one into an array is a number or the `name` of one of its tables.
const Node* child_of(const Node& node, const std::string& step) {
  if (node.kind != Node::Kind::Array) {
    return node.find(step);
  }
  std::int64_t item = item_of(step);
  if (item < 0) {
    const std::vector<std::string> names = names_of(node);
    item = std::find(names.begin(), names.end(), step) - names.begin();
  }
  return item < static_cast<std::int64_t>(node.children.size())
             ? &node.children[static_cast<std::size_t>(item)]
             : nullptr;
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
  apply_setting(root, path, std::move(value), origin);
}

void apply_setting(Node& root, std::string_view path, Node value, const std::string& origin) {
  if (!is_path(path))
    throw Error(fmt::format("{}: expected a key or table.key, received '{}'", origin, path));
  const std::vector<std::string> steps = split_path(path);
  if (steps.size() > kDeepest)
    throw Error(fmt::format("--set {}...: expected tables at most {} deep inside each other, received {}",
                            path.substr(0, 20), kDeepest, steps.size()));

  // Everything on the way must be a table (or an item of an array): checked before anything is changed.
  const Node* node = &root;
  std::string so_far;
  for (const std::string& step : steps) {
    const bool is_item = step.front() == '[';
    const bool in_array = node != nullptr && node->kind == Node::Kind::Array;
    const Node* next = node == nullptr ? nullptr : child_of(*node, step);
    if (next == nullptr && (is_item || (in_array && item_of(step) >= 0))) {
      throw Error(fmt::format("{}: there is no item {} in '{}'", origin, step, so_far));
    }
    if (next == nullptr && node != nullptr && !node->is_table()) {
      const std::vector<std::string> names = in_array ? names_of(*node) : std::vector<std::string>{};
      const bool named =
          std::any_of(names.begin(), names.end(), [](const auto& name) { return !name.empty(); });
      throw Error(fmt::format("{}: expected a table, but '{}' is {} ({}), which has no '{}'{}", origin,
                              so_far, describe(node->kind), node->place, step,
                              named ? fmt::format("; it has {}", fmt::join(names, ", ")) : ""));
    }
    so_far += (is_item || so_far.empty() ? "" : ".") + step;
    node = next;
  }

  Node* slot = &root;
  for (const std::string& step : steps) {
    Node* next = child_of(*slot, step);
    if (next == nullptr) {
      next = &slot->children.emplace_back(Node::table(step));
      set_place(*next, value.key_place);
    }
    slot = next;
  }
  value.key = slot->key;
  *slot = std::move(value);
}

}  // namespace basin
