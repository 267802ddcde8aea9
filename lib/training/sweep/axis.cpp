#include "training/sweep/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "config/nearest.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr std::int64_t kMostSteps = 10'000;

[[noreturn]] void fail(const Node& at, const std::string& path, const std::string& what) {
  throw Error(fmt::format("{}: [sweep] {}: {}", at.place, path, what));
}

bool is_number(const Node& node) {
  return node.kind == Node::Kind::Number || node.kind == Node::Kind::Integer;
}

double end_of(const Node& range, const std::string& path, const char* name) {
  const Node* end = range.find(name);
  if (end == nullptr || !is_number(*end))
    fail(end == nullptr ? range : *end, path,
         fmt::format("expected a range {{ from = .., to = .., steps = .. }}, received {}",
                     end == nullptr ? fmt::format("none of '{}'", name) : format_value(range)));
  const double value = end->kind == Node::Kind::Integer ? static_cast<double>(end->integer) : end->number;
  constexpr double kMost = 9007199254740992.0;  // 2^53: whole numbers up to it are doubles
  if (!std::isfinite(value) || (end->kind == Node::Kind::Integer && std::abs(value) > kMost))
    fail(*end, path, "expected a finite number, whole ones up to 2^53, received " + format_value(*end));
  return value;
}

/// A number in [0, 1): the first 53 bits of a key.
double uniform(Key key) { return std::ldexp(static_cast<double>(key.bits() >> 11), -53); }

}  // namespace

bool SweepAxis::is_range(const Node& table) {
  return std::any_of(table.children.begin(), table.children.end(), [](const Node& child) {
    const bool is_end = child.key == "from" || child.key == "to" || child.key == "steps";
    return is_end && child.kind != Node::Kind::Array && !child.is_table();
  });
}

SweepAxis::SweepAxis(std::string path, const Node& value) : path_(std::move(path)), given_(value) {
  for (std::size_t at = 0; at <= path_.size();) {
    const std::size_t end = std::min(path_.find(',', at), path_.size());
    const std::size_t first = std::min(path_.find_first_not_of(' ', at), end);
    const std::string own = path_.substr(first, end - first);
    paths_.push_back(own.substr(0, own.find_last_not_of(' ') + 1));
    if (paths_.back().empty()) fail(value, path_, "expected a key between commas, received none");
    at = end + 1;
  }
  const auto is_whole = [&](const Node& row) {
    return row.kind == Node::Kind::Array && row.children.size() == paths_.size();
  };
  if (paths_.size() > 1 && (value.kind != Node::Kind::Array ||
                            !std::all_of(value.children.begin(), value.children.end(), is_whole)))
    fail(value, path_,
         fmt::format("expected a list of lists of {} values, one for each key, received {}", paths_.size(),
                     format_value(value)));
  if (value.kind == Node::Kind::Array) {
    if (value.children.empty())
      fail(value, path_, "expected at least one value, received an empty list; remove the key or add some");
    std::set<std::string> seen;
    for (const Node& item : value.children) {
      if (!seen.insert(format_value(item)).second)
        fail(item, path_, fmt::format("expected values that differ, received {} twice", format_value(item)));
    }
    values_ = value.children;
    return;
  }
  if (!value.is_table()) {
    fail(value, path_,
         fmt::format(
             "expected a list of values or a range {{ from = .., to = .., steps = .. }}, received {} ({})",
             describe(value.kind), format_value(value)));
  }
  const std::vector<std::string> known = {"from", "to", "steps", "scale"};
  for (const Node& child : value.children) {
    if (std::find(known.begin(), known.end(), child.key) == known.end())
      throw Error(fmt::format("{}: [sweep] {}: unknown key '{}' of a range; {}", child.key_place, path_,
                              child.key, suggestion(child.key, known)));
  }
  from_ = end_of(value, path_, "from");
  to_ = end_of(value, path_, "to");
  if (const Node* steps = value.find("steps")) {
    if (steps->kind != Node::Kind::Integer || steps->integer < 2 || steps->integer > kMostSteps)
      fail(*steps, path_,
           fmt::format("expected 2 to {} steps, received {}", kMostSteps, format_value(*steps)));
    steps_ = steps->integer;
  }
  if (const Node* scale = value.find("scale")) {
    if (scale->text != "linear" && scale->text != "log")
      fail(*scale, path_,
           fmt::format("expected scale = \"linear\" or \"log\", received {}", format_value(*scale)));
    is_log_ = scale->text == "log";
  }
  if (from_ == to_)
    fail(value, path_, fmt::format("expected two ends that differ, received {} twice", from_));
  if (is_log_ && !(from_ > 0.0 && to_ > 0.0))
    fail(value, path_, fmt::format("expected ends above 0 on a log scale, received {} and {}", from_, to_));
  is_whole_ =
      value.find("from")->kind == Node::Kind::Integer && value.find("to")->kind == Node::Kind::Integer;
}

Node SweepAxis::number(double at) const {
  const double value = is_log_ ? from_ * std::pow(to_ / from_, at) : from_ + at * (to_ - from_);
  // Twelve digits: 0.001 and not 0.0009999999999999998; the ends are met exactly.
  const double tidy = at <= 0.0 ? from_ : at >= 1.0 ? to_ : std::stod(fmt::format("{:.12g}", value));
  Node node = is_whole_ ? Node::of(static_cast<std::int64_t>(std::llround(tidy))) : Node::of(tidy);
  node.place = given_.place;
  return node;
}

std::vector<Node> SweepAxis::values() const {
  if (!values_.empty()) return values_;
  if (steps_ == 0) fail(given_, path_, "expected a range with steps; only draw = \"random\" goes without");
  std::vector<Node> values;
  for (std::int64_t i = 0; i < steps_; ++i) {
    values.push_back(number(static_cast<double>(i) / static_cast<double>(steps_ - 1)));
    if (i > 0 && format_value(values[values.size() - 2]) == format_value(values.back()))
      fail(given_, path_,
           fmt::format("expected steps that differ, received {} twice; lower steps",
                       format_value(values.back())));
  }
  return values;
}

Settings SweepAxis::settings(const Node& value) const {
  Settings settings;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    Node own = paths_.size() == 1 ? value : value.children[i];
    own.key_place = given_.key_place;
    settings.push_back({paths_[i], std::move(own), i > 0 && paths_[i] != kSeed});
  }
  return settings;
}

Node SweepAxis::draw(Key key) const {
  if (values_.empty() && steps_ == 0) return number(uniform(key));
  const std::vector<Node> all = values();
  return all[static_cast<std::size_t>(uniform(key) * static_cast<double>(all.size()))];
}

}  // namespace basin
