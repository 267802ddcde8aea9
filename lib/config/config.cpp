#include "config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "config/nearest.h"
#include "config/node.h"
#include "config/setting.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::string join(const std::string& table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

/// "[table] " for messages; nothing for the root.
std::string heading(const std::string& table) { return table.empty() ? "" : fmt::format("[{}] ", table); }

/// "a text ("abc")", cut to a readable length.
std::string describe(const Node& node) {
  constexpr std::size_t kLongest = 40;
  std::string value = format_value(node);
  if (value.size() > kLongest) {
    value = value.substr(0, kLongest) + "...";
  }
  return fmt::format("{} ({})", describe(node.kind), value);
}

using Kinds = std::vector<Node::Kind>;
const Kinds kNumeric = {Node::Kind::Number, Node::Kind::Integer};

bool contains(const Kinds& kinds, Node::Kind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

double as_double(const Node& node) {
  return node.kind == Node::Kind::Integer ? static_cast<double>(node.integer) : node.number;
}

template <class T>
Node array_of(const std::vector<T>& values) {
  std::vector<Node> items;
  std::transform(values.begin(), values.end(), std::back_inserter(items),
                 [](const T& value) { return Node::of(value); });
  return Node::array(std::move(items));
}

}  // namespace

struct Config::Document {
  std::string name, text;
  std::vector<std::string> settings;
  Node root;
  Node resolved;                                          // what was read, in that order
  std::set<std::string> read;                             // paths
  std::map<std::string, std::vector<std::string>> asked;  // by table, the keys somebody looked for

  void ask(const std::string& table, std::string_view key) {
    auto& keys = asked[table];
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.emplace_back(key);
    }
  }

  /// The node to read, remembered as read; nullptr when absent.
  const Node* take(const std::string& table, std::string_view key) {
    ask(table, key);
    const std::string path = join(table, key);
    read.insert(path);
    return find_path(root, path);
  }

  void record(const std::string& path, Node value) {
    Node& slot = make_path(resolved, path);
    // A key read both as an integer and as a number stays an integer, so that both reads work again.
    const bool is_new = slot.is_table() && slot.children.empty();
    if (is_new || (slot.kind == Node::Kind::Number && value.kind == Node::Kind::Integer)) {
      value.key = slot.key;
      slot = std::move(value);
    }
  }

  /// In TOML syntax, the value that stands for a key that nobody wrote; "": none does, or somebody did.
  std::string fallback(const std::string& path) const {
    const Node* value = find_path(root, path) == nullptr ? find_path(resolved, path) : nullptr;
    return value == nullptr || value->is_table() || value->is_array_of_tables() ? "" : format_value(*value);
  }

  std::string place_of(const std::string& path) const {
    const Node* node = find_path(root, path);
    return node == nullptr || node->place.empty() || path.empty() ? name : node->place;
  }

  [[noreturn]] void wrong(const std::string& table, std::string_view key, const Node& at,
                          const std::string& expected) const {
    throw Error(fmt::format("{}: {}{}: expected {}, received {}", at.place, heading(table), key, expected,
                            describe(at)));
  }

  [[noreturn]] void missing(const std::string& table, std::string_view key,
                            const std::string& expected) const {
    std::vector<std::string> unread;
    if (const Node* node = find_path(root, table); node != nullptr) {
      for (const Node& child : node->children) {
        if (read.count(join(table, child.key)) == 0) {
          unread.push_back(child.key);
        }
      }
    }
    const std::string slip = nearest(key, unread);
    const std::string advice =
        slip.empty() ? "add it" : fmt::format("it has '{}': did you mean '{}'?", slip, key);
    throw Error(fmt::format("{}: {}expected the key '{}' ({}), received none; {}", place_of(table),
                            heading(table), key, expected, advice));
  }

  /// The value to read, of one of those kinds; nullptr when absent and `optional`. Throws Error.
  const Node* expect(const std::string& table, std::string_view key, bool optional,
                     const std::string& expected, const Kinds& kinds) {
    const Node* node = take(table, key);
    if (node == nullptr && !optional) {
      missing(table, key, expected);
    }
    if (node != nullptr && !contains(kinds, node->kind)) {
      wrong(table, key, *node, expected);
    }
    return node;
  }

  /// The same for an array whose items are of those kinds: false when absent.
  bool expect_items(const std::string& table, std::string_view key, bool optional,
                    const std::string& expected, const Kinds& kinds, std::vector<Node>& items) {
    const Node* node = expect(table, key, optional, expected, {Node::Kind::Array});
    if (node == nullptr) {
      return false;
    }
    for (const Node& item : node->children) {
      if (!contains(kinds, item.kind)) {
        wrong(table, key, item, expected);
      }
    }
    items = node->children;
    return true;
  }

  std::string advice_for(const std::string& table, const std::string& key) const {
    const auto here = asked.find(table);
    const std::vector<std::string> known = here == asked.end() ? std::vector<std::string>{} : here->second;
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      return "it has no use together with the other settings; remove it";
    }
    if (nearest(key, known).empty()) {
      for (const auto& [other, keys] : asked) {
        const std::string near = nearest(key, keys);
        if (other != table && !near.empty()) {
          const std::string where = other.empty() ? "at the top level" : fmt::format("in [{}]", other);
          return fmt::format("did you mean '{}' {}?", near, where);
        }
      }
    }
    return suggestion(key, known);
  }

  void check_table(const Node& node, const std::string& path) const {
    for (const Node& child : node.children) {
      const std::string child_path = join(path, child.key);
      if (read.count(child_path) == 0) {
        throw Error(fmt::format("{}: {}unknown {} '{}'; {}", child.key_place, heading(path),
                                child.is_table() ? "table" : "key", child.key, advice_for(path, child.key)));
      }
      if (child.is_table()) {
        check_table(child, child_path);
      } else if (child.is_array_of_tables()) {
        for (std::size_t i = 0; i < child.children.size(); ++i) {
          check_table(child.children[i], fmt::format("{}[{}]", child_path, i));
        }
      }
    }
  }
};

Config Config::parse(std::string_view text, std::string name) {
  Config config;
  config.document_ = std::make_shared<Document>();
  config.document_->root = parse_toml(text, name);
  config.document_->text = std::string(text);
  config.document_->name = std::move(name);
  return config;
}

void Config::set(std::string_view setting) {
  apply_setting(document_->root, setting);
  document_->settings.emplace_back(setting);
}

void Config::set(std::string_view path, const Node& value) {
  apply_setting(document_->root, path, value, value.key_place);
  document_->settings.push_back(fmt::format("{}={}", path, format_value(value)));
}

std::optional<Node> Config::take_out(std::string_view key) {
  const auto* table = find_path(document_->root, path_);
  const Node* node = table == nullptr ? nullptr : table->find(key);
  if (node == nullptr) return std::nullopt;
  Node taken = *node;
  std::erase_if(make_path(document_->root, path_).children,
                [&](const Node& child) { return child.key == key; });
  return taken;
}

bool Config::has(std::string_view key) const {
  document_->ask(path_, key);
  return find_path(document_->root, join(path_, key)) != nullptr;
}

std::vector<std::string> Config::keys() const {
  std::vector<std::string> keys;
  const Node* node = find_path(document_->root, path_);
  for (const Node& child : node == nullptr ? std::vector<Node>{} : node->children) keys.push_back(child.key);
  return keys;
}

Config Config::table(std::string_view key) const {
  if (const Node* node = document_->take(path_, key); node != nullptr) {
    if (!node->is_table()) {
      document_->wrong(path_, key, *node, "a table");
    }
    make_path(document_->resolved, join(path_, key));
  }
  Config config = *this;
  config.path_ = join(path_, key);
  return config;
}

std::vector<Config> Config::tables(std::string_view key) const {
  const Node* node = document_->take(path_, key);
  if (node == nullptr) {
    return {};
  }
  if (!node->is_array_of_tables()) {
    document_->wrong(path_, key, *node, "an array of tables");
  }
  std::vector<Config> configs;
  std::vector<Node> empty;
  for (std::size_t i = 0; i < node->children.size(); ++i) {
    Config config = *this;
    config.path_ = fmt::format("{}[{}]", join(path_, key), i);
    configs.push_back(std::move(config));
    empty.push_back(Node::table());
  }
  document_->record(join(path_, key), Node::array(std::move(empty)));
  return configs;
}

double Config::number(std::string_view key, std::optional<double> fallback) const {
  const Node* node = document_->expect(path_, key, fallback.has_value(), "a number", kNumeric);
  const double value = node == nullptr ? *fallback : as_double(*node);
  document_->record(join(path_, key), Node::of(value));
  return value;
}

std::int64_t Config::integer(std::string_view key, std::optional<std::int64_t> fallback) const {
  const Node* node = document_->expect(path_, key, fallback.has_value(), "an integer", {Node::Kind::Integer});
  const std::int64_t value = node == nullptr ? *fallback : node->integer;
  document_->record(join(path_, key), Node::of(value));
  return value;
}

bool Config::boolean(std::string_view key, std::optional<bool> fallback) const {
  const Node* node =
      document_->expect(path_, key, fallback.has_value(), "true or false", {Node::Kind::Boolean});
  const bool value = node == nullptr ? *fallback : node->boolean;
  document_->record(join(path_, key), Node::of(value));
  return value;
}

std::string Config::text(std::string_view key, std::optional<std::string> fallback) const {
  const Node* node =
      document_->expect(path_, key, fallback.has_value(), "a text in quotes", {Node::Kind::Text});
  std::string value = node == nullptr ? std::move(*fallback) : node->text;
  document_->record(join(path_, key), Node::of(value));
  return value;
}

std::string Config::choice(std::string_view key, const std::vector<std::string>& allowed,
                           std::optional<std::string> fallback) const {
  const std::string list = fmt::format("one of {}", fmt::join(allowed, ", "));
  const Node* node = document_->expect(path_, key, fallback.has_value(), list, {Node::Kind::Text});
  std::string value = node == nullptr ? std::move(*fallback) : node->text;
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    const std::string near = nearest(value, allowed);
    const std::string advice = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
    fail(key, fmt::format("expected {}, received '{}'{}", list, value, advice));
  }
  document_->record(join(path_, key), Node::of(value));
  return value;
}

std::vector<std::string> Config::texts(std::string_view key,
                                       std::optional<std::vector<std::string>> fallback) const {
  std::vector<std::string> values;
  std::vector<Node> items;
  if (document_->expect_items(path_, key, fallback.has_value(), "an array of texts", {Node::Kind::Text},
                              items)) {
    std::transform(items.begin(), items.end(), std::back_inserter(values),
                   [](const Node& item) { return item.text; });
  } else {
    values = std::move(*fallback);
  }
  document_->record(join(path_, key), array_of(values));
  return values;
}

std::vector<double> Config::numbers(std::string_view key, std::optional<std::vector<double>> fallback) const {
  std::vector<double> values;
  std::vector<Node> items;
  if (document_->expect_items(path_, key, fallback.has_value(), "an array of numbers", kNumeric, items)) {
    std::transform(items.begin(), items.end(), std::back_inserter(values), as_double);
  } else {
    values = std::move(*fallback);
  }
  document_->record(join(path_, key), array_of(values));
  return values;
}

std::vector<std::pair<std::string, double>> Config::factors(std::string_view key) const {
  const std::string expected = "a table of numbers";
  const Node* node = document_->expect(path_, key, true, expected, {Node::Kind::Table});
  std::vector<std::pair<std::string, double>> pairs;
  Node copy = Node::table();
  for (const Node& child : node == nullptr ? std::vector<Node>{} : node->children) {
    if (!contains(kNumeric, child.kind)) {
      document_->wrong(join(path_, key), child.key, child, "a number");
    }
    pairs.emplace_back(child.key, as_double(child));
    document_->read.insert(join(join(path_, key), child.key));
    copy.children.push_back(Node::of(pairs.back().second));
    copy.children.back().key = child.key;
  }
  if (!pairs.empty()) {
    document_->record(join(path_, key), std::move(copy));
  }
  return pairs;
}

void Config::fail(std::string_view key, const std::string& what) const {
  const std::string path = join(path_, key);
  const bool is_there = find_path(document_->root, path) != nullptr;
  const std::string fallback = document_->fallback(path);
  throw Error(fmt::format("{}: {}{}{}: {}", document_->place_of(is_there ? path : path_), heading(path_), key,
                          fallback.empty() ? "" : " (" + fallback + " where none is given)", what));
}

std::string Config::place() const { return document_->place_of(path_); }

void Config::finish() const {
  if (const Node* node = find_path(document_->root, path_); node != nullptr && node->is_table()) {
    document_->check_table(*node, path_);
  }
}

std::vector<AskedKey> Config::asked() const {
  std::vector<AskedKey> all;
  for (const auto& [table, keys] : document_->asked) {
    for (const std::string& key : keys) all.push_back({table, key, document_->fallback(join(table, key))});
  }
  return all;
}

std::string Config::resolved(const std::vector<std::string>& without) const {
  const Node* node = find_path(document_->resolved, path_);
  if (node == nullptr) return "";
  Node some = *node;
  std::erase_if(some.children, [&](const Node& child) {
    return std::find(without.begin(), without.end(), child.key) != without.end();
  });
  return format_toml(some);
}

std::string Config::given() const {
  std::string out = document_->text;
  if (!document_->settings.empty() && !out.empty() && out.back() != '\n') {
    out += '\n';
  }
  for (const std::string& setting : document_->settings) {
    out += fmt::format("# --set {}\n", setting);
  }
  return out;
}

}  // namespace basin
