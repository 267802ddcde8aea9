#include "training/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <utility>

#include "config/nearest.h"
#include "results/files/sha256.h"
#include "tensor/error.h"
#include "training/experiment/compare_options.h"
#include "training/sweep/axis.h"

namespace basin {
namespace {

constexpr std::size_t kMostRuns = 100'000;
const std::vector<std::string> kOwnKeys = {"draw", "trials", "draw_seed"};

void check_is_of_one_run(const std::string& path, const Node& at) {
  for (const std::string table : {"sweep", "select"}) {
    if (path == table || path.starts_with(table + "."))
      throw Error(
          fmt::format("{}: [sweep] expected keys of one run, received {}, which is of the sweep itself",
                      at.key_place, path));
  }
}

/// Axes of a table and of those in it: `data.labels` may stand in quotes or not.
void read_axes(const Node& table, const std::string& above, std::vector<SweepAxis>& axes) {
  for (const Node& child : table.children) {
    if (above.empty() && std::find(kOwnKeys.begin(), kOwnKeys.end(), child.key) != kOwnKeys.end()) continue;
    const std::string path = above.empty() ? child.key : above + "." + child.key;
    if (child.is_table() && !child.children.empty() && !SweepAxis::is_range(child)) {
      check_is_of_one_run(path, child);
      read_axes(child, path, axes);
      continue;
    }
    SweepAxis axis(path, child);
    if (!above.empty() && axis.paths().size() > 1)
      throw Error(
          fmt::format("{}: [sweep] expected keys that go together by their whole names, received '{}' in a "
                      "table [sweep.{}]; write it in [sweep]",
                      child.key_place, child.key, above));
    for (const std::string& own : axis.paths()) {
      check_is_of_one_run(own, child);
      if (std::count(axis.paths().begin(), axis.paths().end(), own) > 1 ||
          std::any_of(axes.begin(), axes.end(), [&](const SweepAxis& other) {
            return std::find(other.paths().begin(), other.paths().end(), own) != other.paths().end();
          }))
        throw Error(
            fmt::format("{}: [sweep] expected each key once, received {} twice", child.key_place, own));
    }
    axes.push_back(std::move(axis));
  }
}

struct Draws {
  bool random = false;
  std::int64_t trials = 0;
  std::uint64_t seed = 0;
};

Draws read_draws(const Node& table) {
  Draws draws;
  const auto fail = [](const Node& at, const std::string& what) {
    throw Error(fmt::format("{}: [sweep] {}: {}", at.place, at.key, what));
  };
  const auto whole = [&](const char* key, std::int64_t least,
                         std::int64_t most) -> std::optional<std::int64_t> {
    const Node* node = table.find(key);
    if (node == nullptr) return std::nullopt;
    if (!draws.random) fail(*node, "has no use without draw = \"random\"; remove it");
    if (node->kind != Node::Kind::Integer || node->integer < least || node->integer > most)
      fail(*node, fmt::format("expected a whole number from {} to {}, received {}", least, most,
                              format_value(*node)));
    return node->integer;
  };
  if (const Node* draw = table.find("draw")) {
    if (draw->text != "grid" && draw->text != "random")
      fail(*draw, fmt::format("expected \"grid\" or \"random\", received {}", format_value(*draw)));
    draws.random = draw->text == "random";
  }
  const auto trials = whole("trials", 1, kMostRuns);
  if (draws.random && !trials) fail(*table.find("draw"), "expected also the number of draws; add trials = N");
  draws.trials = trials.value_or(0);
  draws.seed = static_cast<std::uint64_t>(whole("draw_seed", 0, std::int64_t{1} << 62).value_or(0));
  return draws;
}

/// Each list of settings with each value of an axis after it.
std::vector<Settings> crossed(const std::vector<Settings>& lists, const SweepAxis& axis, const Node& table) {
  const std::vector<Node> values = axis.values();
  if (lists.size() * values.size() > kMostRuns)
    throw Error(fmt::format(
        "{}: [sweep] expected at most {} runs, received more; take fewer values, or draw = \"random\"",
        table.place, kMostRuns));
  std::vector<Settings> all;
  for (const Settings& list : lists) {
    for (const Node& value : values) {
      all.push_back(list);
      for (Setting& own : axis.settings(value)) all.back().push_back(std::move(own));
    }
  }
  return all;
}

/// Letters, digits and what file names bear.
std::string in_file_names(std::string text) {
  std::erase(text, '"');
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '+' && c != '_') c = '-';
  }
  return text;
}

}  // namespace

std::vector<Settings> read_sweep(const Node& table) {
  if (!table.is_table())
    throw Error(fmt::format("{}: sweep: expected a table, received {}", table.place, describe(table.kind)));
  const Draws draws = read_draws(table);
  std::vector<SweepAxis> axes;
  read_axes(table, "", axes);
  if (axes.empty())
    throw Error(
        fmt::format("{}: [sweep] expected keys of the experiment with the values to run it with, received "
                    "none; add some, as in seed = [1, 2, 3]",
                    table.place));
  std::vector<Settings> lists = {{}};
  if (!draws.random) {
    for (const SweepAxis& axis : axes) lists = crossed(lists, axis, table);
    return lists;
  }
  lists.clear();
  std::set<std::string> seen;
  for (std::int64_t trial = 0; trial < draws.trials; ++trial) {
    Settings list;
    for (const SweepAxis& axis : axes) {
      if (axis.path() == kSeed) continue;
      const Key key = Key(draws.seed).fold("sweep").fold(axis.path()).fold(static_cast<std::uint64_t>(trial));
      for (Setting& own : axis.settings(axis.draw(key))) list.push_back(std::move(own));
    }
    if (seen.insert(text_of(list)).second) lists.push_back(std::move(list));
  }
  for (const SweepAxis& axis : axes) {
    if (axis.path() == kSeed) lists = crossed(lists, axis, table);
  }
  return lists;
}

void leave_sweep_aside(Config& config) {
  config.take_out("sweep");
  config.take_out("select");
}

SweepFile::SweepFile(const std::string& path, std::vector<std::string> settings)
    : path_(path), given_(std::move(settings)) {
  Config config = Config::load(path);
  text_ = config.given();
  for (const std::string& setting : given_) config.set(setting);
  if (config.has("select")) selection_ = read_selection(config.table("select"));
  const std::optional<Node> table = config.take_out("sweep");
  if (!table)
    config.fail("sweep",
                "expected a table of keys and their values, received none; add [sweep], or use basin run");
  for (const Settings& list : read_sweep(*table)) {
    if (varied_.empty()) {
      for (const Setting& setting : list) {
        if (!setting.follows) varied_.push_back(setting.path);
      }
    }
    Settings all = list;
    if (selection_) all.push_back({kTestUse, Node::of(std::string("never"))});
    runs_.push_back(run(std::move(all)));
  }
  check_comparison();
  if (!selection_) return;
  check_seeds(*table);
  for (const std::string& key : selection_->each) {
    if (key == kSeed || std::find(varied_.begin(), varied_.end(), key) == varied_.end())
      throw Error(fmt::format("{}: expected keys of [sweep] other than seed in each, received '{}'; {}",
                              selection_->place, key, suggestion(key, varied_)));
  }
  const Plan first = plan(runs_.front().settings);
  if (first.data.options.validation == 0.0)
    throw Error(
        fmt::format("{}: expected validation samples to choose by, received none; set data.validation",
                    selection_->place));
  if (selection_->seeds.empty()) selection_->seeds = {static_cast<std::int64_t>(first.seed)};
}

void SweepFile::check_seeds(const Node& table) {
  for (const Node& child : table.children) {
    if (child.key.find(',') == std::string::npos) continue;
    for (const Setting& own : SweepAxis(child.key, child).settings(child.children.front())) {
      if (own.path == kSeed)
        throw Error(
            fmt::format("{}: [sweep] expected seed by itself where [select] takes means over seeds, received "
                        "keys that go with it, '{}'",
                        child.key_place, child.key));
    }
  }
}

void SweepFile::check_comparison() const {
  Config config = Config::parse(text_, path_);
  for (const std::string& setting : given_) config.set(setting);
  if (!config.has("compare")) return;
  const Config table = config.table("compare");
  const CompareOptions options = read_compare_options(table);
  for (const auto& [key, value] : {std::pair{"by", options.by}, {"over", options.over}}) {
    if (!value.empty() && std::find(varied_.begin(), varied_.end(), value) == varied_.end())
      table.fail(key, fmt::format("expected a key of [sweep], received '{}'; {}", value,
                                  suggestion(value, varied_)));
  }
}

Plan SweepFile::plan(const Settings& settings) const {
  Config config = Config::parse(text_, path_);
  for (const std::string& setting : given_) config.set(setting);
  for (const Setting& setting : settings) config.set(setting.path, setting.value);
  leave_sweep_aside(config);
  return read_plan(config, fmt::format("results/{}.h5", std::filesystem::path(path_).stem().string()));
}

SweepRun SweepFile::run(Settings settings, const std::string& called) const {
  constexpr std::size_t kReadable = 80, kDigits = 12;
  SweepRun run{.settings = std::move(settings)};
  run.resolved = plan(run.settings).resolved;
  std::string name = called;
  for (const Setting& setting : run.settings) {
    if (!called.empty() || setting.path == kTestUse || setting.follows) continue;
    const std::size_t dot = setting.path.rfind('.');
    name += fmt::format("{}{}-{}", name.empty() ? "" : "_",
                        setting.path.substr(dot == std::string::npos ? 0 : dot + 1), setting.short_value());
  }
  run.name = fmt::format("{}-{}", in_file_names(name).substr(0, kReadable),
                         Sha256().update(run.resolved).hex().substr(0, kDigits));
  return run;
}

}  // namespace basin
