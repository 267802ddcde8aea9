#include "training/experiment/experiment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "data/cache.h"
#include "data/digest.h"
#include "results/environment.h"
#include "results/files/sha256.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/everywhere.h"
#include "training/experiment/belief_net.h"
#include "training/experiment/cut_patches.h"
#include "training/experiment/encode.h"
#include "training/experiment/fine_tuning.h"
#include "training/experiment/output.h"
#include "training/experiment/stack.h"
#include "training/experiment/stage_run.h"
#include "training/measures/retrieval.h"
#include "training/plots/plot.h"
#include "training/plots/snapshot.h"

namespace basin {
namespace {

/// In a stage's file of the cache: how long it was trained.
constexpr const char* kCachedTime = "/train_seconds";

/// Pictures that cannot be drawn are refused before anything is trained.
void check_plots(const std::vector<std::string>& plots, const Stage& stage) {
  for (const std::string& plot : plots) (void)find_plot(plot, stage);
}

/// A stage that is not trained by itself has no pictures of its own.
void refuse_plots(const StagePlan& stage) {
  if (stage.snapshots > 0) {
    throw Error(fmt::format(
        "[snapshots] expected no results.snapshots of stage {} under protocol = \"supervised\", which trains "
        "no stage by itself; leave it out, or ask for head.snapshots where the stage is a network",
        stage.name));
  }
  if (stage.plots.empty()) return;
  const std::string others = stage.plots_above.empty()
                                 ? ""
                                 : fmt::format("name those of its network ({}) in head.plots, or ",
                                               fmt::join(stage.plots_above, ", "));
  throw Error(fmt::format(
      "[plots] expected no results.plots of stage {} under protocol = \"supervised\", which trains no stage "
      "by itself, received {}; {}leave them out (--set stages.{}.results.plots=[])",
      stage.name, fmt::join(stage.plots, ", "), others, stage.name));
}

/// A function that finds and measures nothing: what stands above it can do without its codes.
bool passes_on(const Stage& stage) {
  return !stage.objective && !stage.start && stage.measures.empty() && stage.batches == nullptr;
}

/// One run: the stages that a plan describes, and the file that they are written to.
class Run {
 public:
  Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, Dataset data,
      const std::string& digest, Record& record);

  /// False when stopped by the hook.
  bool finish();

 private:
  /// Stages and head against the parameters that they are to start from, before anything is trained.
  void check_start() const;
  /// Brings stage i to its end, from the cache, the file or by training: false when stopped.
  bool pretrain(std::size_t i);
  /// Gives all stages a random start, and to those that find numbers in the data what comes to them.
  void begin_at_random();
  bool train_head();
  /// Whether stage i, or the head behind the last, learns from all that those below it give, and not from
  /// patches of it or from nothing at all.
  bool reads_codes(std::size_t i) const;
  /// Brings data_ through all stages below stage i.
  void pass_to(std::size_t i, Cache& cache);
  /// What stage i learns from, once data_ is through all stages below it where it must be; without samples
  /// where nobody looks at them.
  Dataset learns_from(std::size_t i, bool looks) const;
  std::string cache_key(std::size_t i) const;
  void say(const std::string& line) const { hooks_.say ? hooks_.say(line) : void(); }

  const Plan& plan_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  Dataset all_, data_;  // the data set; what the first `passed_` stages, one after another, make of it
  std::size_t passed_ = 0;
  std::string digest_;  // of the data set
  Record& record_;
  Cache cache_;
  std::vector<Stage> stages_;
  std::optional<Stage> head_;
  std::optional<StagePlan> head_plan_;
};

Run::Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, Dataset data,
         const std::string& digest, Record& record)
    : plan_(plan),
      options_(options),
      hooks_(hooks),
      all_(std::move(data)),
      data_(all_),
      digest_(digest),
      record_(record),
      cache_(record.is_pipeline() ? options.cache : "", hooks.say),
      stages_(make_stages(plan, all_.train.shape(), options.device, [this] { return all_.train; })),
      head_plan_(plan.head) {
  const auto all = [this]() -> const Dataset& { return all_; };
  for (std::size_t i = 1; i < stages_.size(); ++i) join_below(stages_[i], std::span(stages_).first(i), all);
  const auto check_numbers = [&](const StagePlan& own, const Stage& stage) {
    if (plan.data.test_use != TestUse::Never)
      check_expected(own.expected, stage,
                     own.kind->place == Place::Stage && record.is_pipeline()
                         ? fmt::format("stages.{}.expect", own.name)
                         : "expect");
  };
  const auto check_labels = [&](const Stage& stage) {
    if (stage.facets.get<Retrieval>() != nullptr && all_.train.labels() == nullptr)
      throw Error("[retrieval] expected data with labels, received " + all_.name + "; leave retrieval out");
  };
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    check_plots(plan.stages[i].plots, stages_[i]);
    check_labels(stages_[i]);
    if (plan.stages[i].snapshots > 0) check_snapshot(stages_[i]);
    check_numbers(plan.stages[i], stages_[i]);
    if (plan.head && plan.protocol == Protocol::Supervised) refuse_plots(plan.stages[i]);
    if (stages_[i].objective)
      check_rates(record.is_pipeline() ? fmt::format("stages.{}.optimizer", stages_[i].name) : "optimizer",
                  stored_parameters(stages_[i]), plan.stages[i].optimizer.rates);
  }
  if (plan.head) {
    Rates& rates = head_plan_->optimizer.rates;
    // A stage's name means that stage, and not "first2" where "first" is said.
    for (const Stage& stage : stages_) {
      auto own = rates.extract(stage.name);
      if (own.empty()) continue;
      own.key() += ".";
      rates.insert(std::move(own));
    }
    head_ = make_head(plan, stages_, all_.train.shape(), label_column(all_.labelled), options.device,
                      [this] { return all_.train; });
    join_below(*head_, stages_, all);
    check_plots(plan.head->plots, *head_);
    check_labels(*head_);
    if (plan.head->snapshots > 0) check_snapshot(*head_);
    check_numbers(*plan.head, *head_);
    check_rates("fine_tune.optimizer", stored_parameters(*head_), rates);
    if (plan.protocol != Protocol::LayerwiseFineTune && !rates.empty()) {
      say("warning: fine_tune.optimizer.rates count under protocol = \"layerwise_fine_tune\" alone");
      rates.clear();
    }
    for (const Stage& stage : stages_) {
      const bool has_numbers = !plan.head->learns_codes && !stage.encoder->parameters().empty();
      if (plan.protocol == Protocol::LayerwiseFrozen && has_numbers) rates[stage.name + "."] = 0.0;
    }
  }
  check_start();
  if (const std::vector<std::string> others = record.others(); !others.empty() && cache_.enabled()) {
    say(fmt::format("{} has steps by {}: the run goes on without the cache", record.result.file,
                    fmt::join(others, "; ")));
    cache_ = Cache("");
  }
}

void Run::check_start() const {
  if (!record_.start.is_given()) return;
  std::vector<std::string> names;
  bool is_any = false;
  for (const Stage& stage : stages_) {
    is_any = record_.start.fill(stage) || is_any;
    names.push_back(stage.name);
  }
  if (head_) {
    is_any = record_.start.fill(*head_) || is_any;
    names.push_back(head_->name);
  }
  if (!is_any) {
    throw Error(fmt::format("[init_from] expected one of the stages {} in {}, received {}",
                            fmt::join(names, ", "), record_.start.file(),
                            fmt::join(record_.start.stages(), ", ")));
  }
}

std::string Run::cache_key(std::size_t i) const {
  std::string text =
      fmt::format("basin stage {} timed\nrevision {}{}\nseed {}\ndevice {}\nthreads {}\nsmoke {}\n",
                  kFormatVersion, options_.revision, unrecorded_changes(options_.revision), plan_.seed,
                  place_in_words(options_.device), thread_count(), plan_.smoke);
  text += fmt::format("data {} scale {} threshold {}\n", digest_, static_cast<int>(plan_.data.scale),
                      plan_.data.threshold);
  if (!plan_.data.augment.is_none()) {
    const auto& [shift, rotate, scale, elastic, sigma, flip, crop] = plan_.data.augment;  // all there are
    text += fmt::format("augment {} {} {} {} {} {} {}\n", shift, rotate, scale, elastic, sigma, flip, crop);
  }
  if (plan_.data.test_use != TestUse::Epochs)
    text += fmt::format("test_use {}\n", static_cast<int>(plan_.data.test_use));
  if (record_.start.is_given()) text += fmt::format("init_from {}\n", record_.start.digest());
  for (std::size_t k = 0; k <= i; ++k) {
    text += fmt::format("[[stages]]\n{}\n", plan_.stages[k].tables);
    if (sees_labels(stages_[k], all_)) text += fmt::format("labelled {}\n", digest(all_.labelled));
  }
  return Sha256().update(text).hex();
}

bool Run::pretrain(std::size_t i) {
  const StagePlan& plan = plan_.stages[i];
  const Stage& stage = stages_[i];
  const std::string key = cache_key(i), what = "stage " + plan.name;
  Store results = record_.stage(plan.name);
  const bool is_done = is_complete(results);
  const std::shared_ptr<void> lock = is_done ? nullptr : cache_.lock(key + ".lock", what);
  if (is_done) {
    restore_stage(stage, results);
  } else {
    const bool is_cached = cache_.holds(key + ".h5");
    if (is_cached) {
      say(fmt::format("{}: taken from the cache {}", what, cache_.path(key.substr(0, 12))));
      results = Store::load(cache_.path(key + ".h5"));
      record_.set_train_seconds(plan.name, results.number(kCachedTime));
      results.remove(kCachedTime);
    } else if (record_.is_pipeline()) {
      say(fmt::format("{} ({})", what, stage.kind));
    }
    const bool looks = !plan.plots.empty() || !(is_complete(results) || passes_on(stage));
    if (!run_stage(plan, stage, learns_from(i, looks), std::move(results), record_, hooks_)) return false;
    if (!is_cached)
      cache_.keep(key + ".h5", [&](const std::string& path) {
        Store trained = record_.stage(plan.name);
        trained.put_number(kCachedTime, record_.train_seconds(plan.name));
        trained.save(path);
      });
  }
  if (reads_codes(i + 1)) pass_to(i + 1, cache_);
  return true;
}

bool Run::reads_codes(std::size_t i) const {
  if (i == stages_.size()) return plan_.head && plan_.head->learns_codes;
  const Stage& stage = stages_[i];
  return stage.facets.get<Everywhere>() == nullptr && !(passes_on(stage) && plan_.stages[i].plots.empty());
}

void Run::pass_to(std::size_t i, Cache& cache) {
  if (passed_ == i) return;
  data_ = encoded(std::span(stages_).subspan(passed_, i - passed_), data_, cache,
                  cache.enabled() ? cache_key(i - 1) : "");
  passed_ = i;
}

Dataset Run::learns_from(std::size_t i, bool looks) const {
  const Stage& stage = stages_[i];
  const auto below = std::span(stages_).subspan(passed_, i - passed_);
  if (looks && stage.facets.get<Everywhere>() != nullptr)
    return cut_patches(std::span(stages_).subspan(passed_, i + 1 - passed_), data_);
  if (below.empty()) return data_;
  Shape none = stage.inputs.at(0).variable.shape;
  none.insert(none.begin(), 0);
  return {.name = data_.name,
          .train = {real_column("code", Tensor::zeros(none))},
          .test = {},
          .preprocessing = pictures_above(below, data_.preprocessing)};
}

void Run::begin_at_random() {
  Cache none("");
  data_.test = data_.validation = {};
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    randomise(stage);
    if (!stage.objective && stage.start) {
      if (reads_codes(i)) pass_to(i, none);
      stage.start(stage_source(stage, learns_from(i, true).train), hooks_.say);
    }
    record_.start.fill(stage);
  }
}

bool Run::train_head() {
  if (!head_plan_->learns_codes) data_ = all_;
  data_ = head_data(*head_, std::move(data_));
  say(fmt::format("head ({} {}samples)", data_.train.count, sees_labels(*head_, data_) ? "labelled " : ""));
  Store results = record_.stage(kHead);
  if (!stages_.empty() && !head_plan_->learns_codes && !results.has("/checkpoint")) {
    record_.start.fill(*head_);
    note_layers(stages_, all_.train, results);
  }
  return run_stage(*head_plan_, *head_, data_, std::move(results), record_, hooks_);
}

bool Run::finish() {
  if (plan_.head && plan_.protocol == Protocol::Supervised) {
    begin_at_random();
  } else {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (!pretrain(i)) return false;
    }
  }
  return !plan_.head || train_head();
}

/// A file whose run is complete; what is expected of its numbers may have changed since.
RunResult complete_already(const Plan& plan, const std::string& file, Store store) {
  if (store.text("/experiment/resolved") != plan.resolved) {
    std::vector<const StagePlan*> stages;
    for (const StagePlan& stage : plan.stages) stages.push_back(&stage);
    if (plan.head) stages.push_back(&*plan.head);
    for (const StagePlan* stage : stages) {
      Store results = store.group(stage_group(stage->name));
      if (!results.has("/status")) continue;
      judge_expected(plan.judges() ? stage->expected : std::vector<ExpectedNumber>{}, results);
      store.put_group(stage_group(stage->name), results);
    }
    store.put_text("/experiment/resolved", plan.resolved);
    store.put_text("/experiment/given", plan.given);
    store.save(file);
  }
  RunResult result;
  result.complete = result.was_complete = true;
  result.file = file;
  result.missed = missed_numbers(store);
  result.store = std::move(store);
  return result;
}

}  // namespace

RunResult run_experiment(const Plan& plan, const RunOptions& options, const RunHooks& hooks) {
  const std::string file = options.file.empty() ? plan.file : options.file;
  const Existing existing = options.resume    ? Existing::Resume
                            : options.replace ? Existing::Force
                                              : Existing::Replace;
  Output output = prepare_output(file, plan, existing, hooks.say);
  std::optional<Store>& resumed = output.resumed;
  if (resumed && resumed->text("/experiment/status") == "complete") {
    return complete_already(plan, file, std::move(*resumed));
  }
  if (options.threads > 0) {
    set_thread_count(options.threads);
  } else if (resumed) {
    set_thread_count(resumed->integer("/environment/threads"));
  }
  if (const std::string warning = thread_warning(); !warning.empty() && hooks.say) hooks.say(warning);
  Dataset data = load_data(plan, resumed ? resumed->text("/experiment/data") : options.data);
  const std::string sum = digest(data);
  if (!output.replaced_data.empty() && output.replaced_data != sum) {
    throw Error(
        fmt::format("[results] {} holds this experiment on other samples of {} (SHA-256 {}, now {}); name "
                    "another file with --out, or add --force to replace it",
                    file, plan.data.name, output.replaced_data.substr(0, 12), sum.substr(0, 12)));
  }
  Record record(plan, options, file, std::move(resumed), sum, hooks.say);
  record.lengthened = std::move(output.lengthened);
  record.take_start();
  for (const auto& [part, samples] :
       {std::pair{"test", &data.test}, std::pair{"validation", &data.validation}}) {
    if (samples->count > 0)
      record.result.store.put_text(fmt::format("/experiment/{}_data", part), digest(*samples));
  }
  record.result.complete = Run(plan, options, hooks, std::move(data), sum, record).finish();
  if (record.result.complete) record.result.missed = missed_numbers(record.result.store);
  return std::move(record.result);
}

std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension,
                         const std::string& stage) {
  std::filesystem::path path(file);
  path.replace_filename(
      fmt::format("{}_{}{}{}.{}", path.stem().string(), stage, stage.empty() ? "" : "_", plot, extension));
  return path.string();
}

}  // namespace basin
