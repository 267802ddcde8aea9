#include "training/experiment/changes.h"

#include <fmt/format.h>

#include <sstream>
#include <vector>

#include "config/node.h"
#include "config/setting.h"
#include "results/results_file.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The first line in which two texts differ, for a message; "" where there is none.
std::string first_difference(const std::string& theirs, const std::string& ours) {
  std::istringstream a(theirs), b(ours);
  std::string line_a, line_b;
  while (true) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) return "";
    if (!more_a || !more_b || line_a != line_b) {
      return fmt::format("'{}' there, '{}' now", more_a ? line_a : "", more_b ? line_b : "");
    }
  }
}

void remove_expected(Node& table) {
  std::erase_if(table.children, [](const Node& child) { return child.key == "expect"; });
  for (Node& child : table.children) {
    if (child.key == "stages") {
      for (Node& stage : child.children) remove_expected(stage);
    }
  }
}

/// The tables that hold a training's epochs, by the stage that is trained.
std::map<std::string, std::string> tables_of_trainings(const Node& experiment) {
  std::map<std::string, std::string> tables;
  if (experiment.find("train") != nullptr) tables[kOnlyStage] = "train";
  if (experiment.find("fine_tune") != nullptr) tables[kHead] = "fine_tune";
  const Node* stages = experiment.find("stages");
  for (std::size_t i = 0; stages != nullptr && i < stages->children.size(); ++i) {
    const Node* name = stages->children[i].find("name");
    if (name != nullptr) tables[name->text] = fmt::format("stages[{}].train", i);
  }
  return tables;
}

}  // namespace

Changes changes_between(const std::string& theirs, const std::string& ours) {
  Node before = parse_toml(theirs, "the results file"), now = parse_toml(ours, "the experiment");
  remove_expected(before);
  remove_expected(now);
  Changes changes;
  for (const auto& [stage, table] : tables_of_trainings(now)) {
    const Node* fewer = find_path(before, table + ".epochs");
    const Node* more = find_path(now, table + ".epochs");
    if (fewer == nullptr || more == nullptr || fewer->integer >= more->integer) continue;
    changes.lengthened[stage] = fewer->integer;
    make_path(before, table + ".epochs").integer = more->integer;
  }
  changes.other = first_difference(format_toml(before), format_toml(now));
  return changes;
}

void lengthen(Store& results, const Plan& plan, const std::map<std::string, Index>& before,
              const std::string& path) {
  const std::vector<std::string> begun = stage_names(results);
  for (const auto& [stage, epochs] : before) {
    const std::string group = stage_group(stage);
    if (!results.has(group)) continue;
    if (stage != begun.back()) {
      throw Error(
          fmt::format("[results] {}: expected more epochs of {}, the last that was trained, received "
                      "more of {}, which it stands on; run all of it again with --force",
                      path, begun.back(), stage));
    }
    const StagePlan* own = plan.head && stage == kHead ? &*plan.head : nullptr;
    for (const StagePlan& candidate : plan.stages) own = candidate.name == stage ? &candidate : own;
    const bool has_ended = results.text(group + "/status") != "training";
    if (has_ended && own != nullptr && own->train.stop && own->train.stop->keep == Keep::Best) {
      throw Error(
          fmt::format("[results] {}: expected the last parameters of {} to go on from, received those "
                      "of its best epoch; run it again with --force, or keep = \"last\"",
                      path, stage));
    }
    results.put_text(group + "/status", "training");
    results.put_text("/experiment/status", "training");
    std::vector<std::string> noted;
    if (results.has("/experiment/lengthened")) noted = results.texts("/experiment/lengthened");
    noted.push_back(fmt::format("{} of {} epochs, after {} steps", stage, epochs,
                                results.integer(group + "/checkpoint/step")));
    results.put_texts("/experiment/lengthened", std::move(noted));
  }
}

}  // namespace basin
