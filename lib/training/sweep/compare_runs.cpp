#include "training/sweep/compare_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <set>
#include <utility>

#include "config/nearest.h"
#include "results/paired_tests.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char *kAbsent = "-", *kStages = "stages";

/// The names of a run's stages, which stand for all of [[stages]].
std::string stages_of(const ComparedRun& run) {
  std::string names;
  for (const auto& [key, value] : run.settings) {
    if (key.starts_with(kStages + std::string(".")) && key.ends_with(".name"))
      names += (names.empty() ? "" : "+") + value;
  }
  return names.empty() ? "none" : names;
}

std::string value_of(const ComparedRun& run, const std::string& key) {
  if (key == kStages) return stages_of(run);
  const auto found = run.settings.find(key);
  return found == run.settings.end() ? kAbsent : found->second;
}

/// "seed", "data.labels_seed": what repeats an experiment, and does not change what it is.
bool is_seed(const std::string& key) {
  const std::string last = key.substr(key.rfind('.') + 1);
  return last == "seed" || last.ends_with("_seed");
}

/// Keys in which runs differ, sorted.
std::vector<std::string> differing(const std::vector<ComparedRun>& runs) {
  std::set<std::string> keys;
  for (const ComparedRun& run : runs) {
    for (const auto& [key, value] : run.settings) keys.insert(key);
  }
  std::vector<std::string> found;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(found), [&](const std::string& key) {
    return std::any_of(runs.begin(), runs.end(), [&](const ComparedRun& run) {
      return value_of(run, key) != value_of(runs.front(), key);
    });
  });
  return found;
}

void expect_same_samples(const ComparedRun& first, const ComparedRun& other, const std::string& part) {
  const auto a = first.digests.find(part), b = other.digests.find(part);
  for (const auto& [run, has] :
       {std::pair{&first, a != first.digests.end()}, {&other, b != other.digests.end()}}) {
    if (!has)
      throw Error(
          fmt::format("[compare] expected runs measured on {} samples, received {} without any on record; "
                      "compare by another --metric, name the files that are to be compared, or run it again",
                      part, run->file));
  }
  if (a->second == b->second) return;
  std::vector<std::string> why;
  for (const std::string& key : differing({first, other})) {
    if (key.starts_with("data.") || key == "smoke")
      why.push_back(fmt::format("{} is {} and {}", key, value_of(first, key), value_of(other, key)));
  }
  throw Error(fmt::format(
      "[compare] expected one set of {} samples, received another in {} than in {}: {}", part, other.file,
      first.file,
      why.empty() ? "the files behind [data] have changed" : fmt::format("{}", fmt::join(why, ", "))));
}

std::vector<std::string> values_of(const ComparedRun& run, const std::vector<std::string>& keys) {
  std::vector<std::string> values;
  for (const std::string& key : keys) values.push_back(value_of(run, key));
  return values;
}

/// Whether all runs of one value of `by` have one value of a key.
bool follows(const std::vector<ComparedRun>& runs, const std::string& by, const std::string& key) {
  std::map<std::string, std::string> values;
  return std::ranges::all_of(runs, [&](const ComparedRun& run) {
    return values.emplace(value_of(run, by), value_of(run, key)).first->second == value_of(run, key);
  });
}

/// Whether a key stands in the table of `by` in some runs only, and is the same in all of one value of `by`:
/// "model.forget_bias" goes with model.cell = "lstm", and tells no pairs apart. All of [[stages]] goes with
/// "stages".
bool goes_with(const std::vector<ComparedRun>& runs, const std::string& by, const std::string& key) {
  if (by == kStages && key.starts_with(kStages)) return true;
  const auto table_of = [](const std::string& path) { return path.substr(0, path.rfind('.') + 1); };
  const auto lacks = [&](const ComparedRun& run) { return !run.settings.contains(key); };
  return table_of(key) == table_of(by) && !is_seed(key) && std::ranges::any_of(runs, lacks) &&
         follows(runs, by, key);
}

/// What the experiments say, where they all say the same; flags come before it. Notes say who chose what.
CompareOptions chosen(const std::vector<ComparedRun>& runs, const CompareOptions& flags,
                      std::vector<std::string>& notes) {
  const std::optional<CompareOptions>& planned = runs.front().planned;
  const auto agrees = [&](const ComparedRun& run) { return run.planned == planned; };
  CompareOptions options = flags;
  const bool agree = std::ranges::all_of(runs, agrees);
  if (!agree) {
    notes.emplace_back("the files say different things in [compare], or only some have it: none counts");
  } else if (planned) {
    std::vector<std::string> others;
    for (const auto& [key, option] : compare_keys()) {
      std::string& own = options.*option;
      if (own.empty()) own = (*planned).*option;
      if (own != (*planned).*option)
        others.push_back(fmt::format("{} = {} (the files say {})", key, own,
                                     ((*planned).*option).empty() ? "nothing" : (*planned).*option));
    }
    notes.push_back(others.empty()
                        ? fmt::format("test {}, as the experiments said before they ran", options.test)
                        : fmt::format("chosen afterwards: {}", fmt::join(others, ", ")));
    return options;
  }
  if (!flags.test.empty())
    notes.push_back(fmt::format("chosen afterwards: test = {} (the files {})", flags.test,
                                agree ? "say nothing" : "do not agree"));
  return options;
}

void check_key(const ComparedRun& run, const std::string& key) {
  if (run.settings.contains(key) || key == kStages) return;
  std::vector<std::string> known;
  for (const auto& [name, value] : run.settings) known.push_back(name);
  throw Error(fmt::format("[compare] expected a key of the experiments, received '{}'; {}", key,
                          suggestion(key, known)));
}

double number_of(const std::string& over, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(number))
    throw Error(fmt::format("[compare] expected numbers as values of {}, received '{}'", over, text));
  return number;
}

double metric_of(const ComparedRun& run, const std::string& metric) {
  const auto result = run.results.find(metric);
  if (result != run.results.end()) return result->second;
  std::vector<std::string> known;
  for (const auto& [name, value] : run.results) known.push_back(name);
  throw Error(fmt::format("[compare] expected a metric that {} holds, received '{}'; it holds {}", run.file,
                          metric, fmt::join(known, ", ")));
}

/// A group while it is compared: its runs, and by the values of all other keys the pairs that they make.
struct Members {
  Comparison::Group group;
  std::vector<const ComparedRun*> runs = {};
  std::map<std::vector<std::string>, const ComparedRun*> pairs = {};
};

/// Settings without the value of `over`, which is the last.
std::vector<std::string> without_over(const Comparison& found, const std::vector<std::string>& settings) {
  return {settings.begin(), settings.end() - (found.over.empty() ? 0 : 1)};
}

/// The reference first, the others as their files are ordered; of one of them, `over` rising.
void sort_groups(const Comparison& found, const std::string& reference, std::vector<Members>& all) {
  std::vector<std::vector<std::string>> order;
  for (const Members& own : all) {
    std::vector<std::string> settings = without_over(found, own.group.settings);
    if (std::ranges::find(order, settings) == order.end()) order.push_back(std::move(settings));
  }
  if (!reference.empty()) {
    const auto is_it = [&](const auto& settings) { return !settings.empty() && settings[0] == reference; };
    if (std::ranges::none_of(order, is_it)) {
      std::vector<std::string> known;
      for (const auto& settings : order) known.push_back(settings.empty() ? "" : settings[0]);
      throw Error(fmt::format("[compare] expected a value of {} as reference, received '{}'; {}",
                              found.keys.front(), reference, suggestion(reference, known)));
    }
    std::stable_partition(order.begin(), order.end(), is_it);
  }
  std::ranges::stable_sort(all, {}, [&](const Members& own) {
    const auto& settings = own.group.settings;
    return std::pair(std::ranges::find(order, without_over(found, settings)) - order.begin(),
                     found.over.empty() ? 0.0 : number_of(found.over, settings.back()));
  });
}

/// The mean of the examples' numbers, or of their differences to those of other runs, by draws.
BootstrapMean drawn_mean(const std::string& metric, const std::vector<const ComparedRun*>& runs,
                         const std::vector<const ComparedRun*>& minus = {}) {
  std::vector<std::vector<double>> rows;
  std::vector<double> weights;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ExampleNumbers own = runs[i]->examples(metric);
    if (!minus.empty()) {
      const ExampleNumbers other = minus[i]->examples(metric);
      if (other.values.size() != own.values.size() || other.weights != own.weights)
        throw Error(fmt::format("[compare] expected the same test samples in {} and {}, received {} and {}",
                                runs[i]->file, minus[i]->file, own.values.size(), other.values.size()));
      for (std::size_t n = 0; n < own.values.size(); ++n) own.values[n] -= other.values[n];
    }
    rows.push_back(std::move(own.values));
    weights = std::move(own.weights);
  }
  return bootstrap_mean(rows, weights);
}

/// A group beside its reference, which may have no runs.
void test_group(Comparison& found, const Members* reference, Members& own) {
  if (reference == &own) return;
  std::vector<double> a, b;
  std::vector<const ComparedRun*> runs_a, runs_b;
  for (const auto& [key, run] : own.pairs) {
    if (reference == nullptr) break;
    const auto other = reference->pairs.find(key);
    if (other == reference->pairs.end()) continue;
    runs_a.push_back(other->second);
    runs_b.push_back(run);
    a.push_back(metric_of(*other->second, found.metric));
    b.push_back(metric_of(*run, found.metric));
  }
  Comparison::Group& group = own.group;
  group.is_reference = false;
  group.difference = paired_difference(a, b);
  const auto note = [&](const std::string& text) {
    found.notes.push_back(fmt::format("{}: {}", fmt::join(group.settings, " "), text));
  };
  if (reference == nullptr) {
    note("no run of the reference");
    return;
  }
  if (found.test == "bootstrap" && a.size() == 1)
    note("one pair of runs: its p is of the test samples alone");
  if (found.test == "paired_t") group.p = paired_t(a, b).p;
  if (found.test == "bootstrap" && !a.empty()) {
    group.drawn_difference = drawn_mean(found.metric, runs_b, runs_a);
    group.p = group.drawn_difference->p;
  }
  if (found.test == "wilcoxon") {
    try {
      const Wilcoxon ranks = wilcoxon(a, b);
      group.p = ranks.p;
      if (ranks.zeros + ranks.tied > 0)
        note(fmt::format("{} of {} pairs without a difference left out, {} share a rank", ranks.zeros,
                         ranks.pairs, ranks.tied));
    } catch (const Error& error) {
      note(error.what());
    }
  }
  if (!found.test.empty() && std::isnan(group.p) && found.test != "wilcoxon")
    note(fmt::format("no test of {} pairs", a.size()));
}

std::string short_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.3g}", value) : kAbsent;
}

double mean_over(const std::vector<Budget>& budgets, double Budget::*which) {
  std::vector<double> numbers;
  for (const Budget& budget : budgets) numbers.push_back(budget.*which);
  return mean_of(numbers);
}

/// The trials of a group, whose runs are of one selection.
const Budget& selection_of(const std::vector<Budget>& budgets) {
  return *std::ranges::max_element(budgets, {}, &Budget::trials);
}

}  // namespace

Comparison compare_runs(const std::vector<ComparedRun>& runs, const CompareOptions& flags) {
  if (runs.size() < 2)
    throw Error(fmt::format("[compare] expected at least two results files, received {}", runs.size()));
  const ComparedRun& first = runs.front();
  Comparison found;
  const CompareOptions options = chosen(runs, flags, found.notes);
  found.metric = options.metric.empty() ? first.telling : options.metric;
  found.test = options.test;
  found.over = options.over;
  if (!options.over.empty()) check_key(first, options.over);
  if (options.by.empty() && !options.reference.empty())
    throw Error("[compare] expected also the key whose value the reference is, received none; add --by KEY");
  std::vector<std::string> pair_keys;
  for (const std::string& key : differing(runs)) {
    if (key == options.over) continue;
    // Fewer epochs where there are more labels: such a key tells no groups apart.
    if (options.by.empty() && !options.over.empty() && !is_seed(key) && follows(runs, options.over, key))
      continue;
    const bool is_compared = options.by.empty() ? !is_seed(key) : key == options.by;
    if (is_compared || options.by.empty() || !goes_with(runs, options.by, key))
      (is_compared ? found.keys : pair_keys).push_back(key);
  }
  if (!options.by.empty() && found.keys.empty()) {
    check_key(first, options.by);
    found.keys.push_back(options.by);
  }
  if (!options.over.empty()) found.keys.push_back(options.over);
  const bool on_validation = found.metric.find("validation") != std::string::npos;
  std::vector<Members> all;
  for (const ComparedRun& run : runs) {
    expect_same_samples(first, run, on_validation || !first.digests.contains("test") ? "validation" : "test");
    const double value = metric_of(run, found.metric);
    std::vector<std::string> settings = values_of(run, found.keys);
    auto own = std::ranges::find(all, settings, [](const Members& other) { return other.group.settings; });
    if (own == all.end()) own = all.insert(own, Members{.group = {.settings = std::move(settings)}});
    own->group.values.push_back(value);
    own->group.budgets.push_back(run.budget);
    own->runs.push_back(&run);
    if (!own->pairs.emplace(values_of(run, pair_keys), &run).second)
      throw Error(
          fmt::format("[compare] expected runs that differ in a key, received {} with the settings of "
                      "another; leave one out",
                      run.file));
  }
  sort_groups(found, options.reference, all);
  std::vector<double> p;
  for (Members& own : all) {
    // Where `by` is said, of the same value of it at each value of `over`.
    const std::vector<std::string> wanted = without_over(found, all.front().group.settings);
    const auto reference = std::ranges::find_if(all, [&](const Members& other) {
      return (found.over.empty() || other.group.settings.back() == own.group.settings.back()) &&
             (options.by.empty() || without_over(found, other.group.settings) == wanted);
    });
    test_group(found, reference == all.end() ? nullptr : &*reference, own);
    if (found.test == "bootstrap") own.group.mean = drawn_mean(found.metric, own.runs);
    p.push_back(own.group.p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t g = 0; g < all.size(); ++g) {
    all[g].group.corrected_p = corrected[g];
    found.groups.push_back(std::move(all[g].group));
  }
  if (found.test == "bootstrap")
    found.notes.push_back(
        fmt::format("bootstrap: {} draws of runs and of test samples; low and high are its 95 % interval",
                    BootstrapOptions{}.draws));
  if (runs.size() == 2 && !runs[0].predictions.empty() && !runs[1].predictions.empty() && !on_validation)
    found.mcnemar = mcnemar(runs[0].labels, runs[0].predictions, runs[1].predictions);
  return found;
}

TextTable Comparison::table() const {
  const auto is_any = [&](const auto& holds) {
    return std::ranges::any_of(groups,
                               [&](const Group& group) { return std::ranges::any_of(group.budgets, holds); });
  };
  const bool has_trials = is_any([](const Budget&budget) { return budget.trials > 0; }),
             has_costs = is_any([](const Budget&budget) { return !std::isnan(budget.updates); });
  std::vector<std::string> names = keys;
  const auto name = [&](std::initializer_list<const char*> more) {
    for (const char* own : more) names.emplace_back(own);
  };
  name({"mean", "deviation", "n", "difference", "standard_error", "pairs"});
  if (test == "bootstrap") name({"low", "high"});
  if (!test.empty()) name({"p", "p_holm"});
  if (has_trials) name({"trials", "trial_seconds"});
  if (has_costs) name({"seconds", "updates"});
  TextTable table(std::move(names));
  for (const Group& group : groups) {
    std::vector<std::string> row = group.settings;
    const auto beside = [&](const std::string& cell) { row.push_back(group.is_reference ? kAbsent : cell); };
    row.push_back(number_cell(mean_of(group.values)));
    row.push_back(number_cell(deviation_of(group.values)));
    row.push_back(fmt::format("{}", group.values.size()));
    beside(number_cell(group.difference.mean));
    beside(number_cell(group.difference.standard_error));
    beside(fmt::format("{}", group.difference.pairs));
    if (test == "bootstrap") {
      beside(group.drawn_difference ? number_cell(group.drawn_difference->low) : kAbsent);
      beside(group.drawn_difference ? number_cell(group.drawn_difference->high) : kAbsent);
    }
    if (!test.empty()) {
      beside(short_number(group.p));
      beside(short_number(group.corrected_p));
    }
    if (has_trials) {
      const Budget& selected = selection_of(group.budgets);
      row.push_back(selected.trials > 0 ? fmt::format("{}", selected.trials) : kAbsent);
      row.push_back(short_number(selected.trial_seconds));
    }
    if (has_costs) {
      row.push_back(short_number(mean_over(group.budgets, &Budget::seconds)));
      row.push_back(number_cell(mean_over(group.budgets, &Budget::updates)));
    }
    table.add(std::move(row));
  }
  return table;
}

}  // namespace basin
