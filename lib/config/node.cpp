#include "config/node.h"

#include <algorithm>

namespace basin {

Node Node::table(std::string key) {
  Node node;
  node.key = std::move(key);
  return node;
}

Node Node::array(std::vector<Node> items) {
  Node node;
  node.kind = Kind::Array;
  node.children = std::move(items);
  return node;
}

Node Node::of(bool value) {
  Node node;
  node.kind = Kind::Boolean;
  node.boolean = value;
  return node;
}

Node Node::of(std::int64_t value) {
  Node node;
  node.kind = Kind::Integer;
  node.integer = value;
  return node;
}

Node Node::of(double value) {
  Node node;
  node.kind = Kind::Number;
  node.number = value;
  return node;
}

Node Node::of(std::string value) {
  Node node;
  node.kind = Kind::Text;
  node.text = std::move(value);
  return node;
}

bool Node::is_array_of_tables() const {
  return kind == Kind::Array &&
         std::all_of(children.begin(), children.end(), [](const Node& item) { return item.is_table(); });
}

const Node* Node::find(std::string_view name) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const Node& child) { return child.key == name; });
  return is_table() && found != children.end() ? &*found : nullptr;
}

std::string describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::Boolean:
      return "a boolean";
    case Node::Kind::Integer:
      return "an integer";
    case Node::Kind::Number:
      return "a number";
    case Node::Kind::Text:
      return "a text";
    case Node::Kind::Date:
      return "a date or time";
    case Node::Kind::Array:
      return "an array";
    case Node::Kind::Table:
      return "a table";
  }
  return "a value";
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> steps;
  std::string step;
  const auto flush = [&] {
    if (!step.empty()) {
      steps.push_back(std::move(step));
      step.clear();
    }
  };
  for (const char c : path) {
    if (c == '.' || c == '[') {
      flush();
    }
    if (c != '.') {
      step += c;
    }
    if (c == ']') {
      flush();
    }
  }
  flush();
  return steps;
}

}  // namespace basin
