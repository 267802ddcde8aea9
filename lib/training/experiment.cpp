#include "training/experiment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "data/cache.h"
#include "data/digest.h"
#include "results/results_file.h"
#include "results/sha256.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/checkpoint.h"
#include "training/encode.h"
#include "training/environment.h"
#include "training/output.h"
#include "training/plots/plot.h"
#include "training/stage_run.h"

namespace basin {
namespace {

/// The program beyond its revision, where that does not say all.
std::string unrecorded_changes(const std::string& revision) {
  if (!revision.empty() && revision != "unknown" && !revision.ends_with("-dirty")) return "";
  std::error_code ignored;
  const auto when = std::filesystem::last_write_time("/proc/self/exe", ignored);
  return fmt::format(", program of {}", when.time_since_epoch().count());
}

/// One run: the stages that a plan describes, and the file that they are written to.
class Run {
 public:
  Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file,
      std::optional<Store> resumed);

  RunResult finish();

 private:
  void describe();
  /// Keeps out of the cache what another program, device or number of threads may have had a part in.
  void look_at_earlier_environment();
  bool is_pipeline() const { return plan_.stages.size() != 1 || plan_.head; }
  /// Brings stage i to its end, from the cache, the file or by training: false when stopped.
  bool pretrain(std::size_t i);
  /// Builds stage i of a stack that starts at random.
  void begin_at_random(std::size_t i);
  bool train_head();
  bool run(const StagePlan& plan, const Stage& stage, Store results);
  void draw(const StagePlan& plan, const StageView& view, const Store& results);
  void take(const std::string& stage, const Store& results);
  void save(double train_seconds, double evaluate_seconds);
  std::string cache_key(std::size_t i) const;
  void say(const std::string& line) const { hooks_.say ? hooks_.say(line) : void(); }

  const Plan& plan_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  RunResult result_;
  std::string file_;
  Store store_;
  Dataset all_, data_;  // the data set; what the stage at hand learns from
  std::string digest_;  // of the data set
  std::vector<Stage> stages_;
  Cache cache_;
  std::string saved_;                                    // what the file holds, for messages
  double earlier_train_ = 0.0, earlier_evaluate_ = 0.0;  // seconds, by processes and stages before
};

Run::Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file,
         std::optional<Store> resumed)
    : plan_(plan),
      options_(options),
      hooks_(hooks),
      file_(std::move(file)),
      cache_(is_pipeline() ? options.cache : "", hooks.say),
      saved_(fmt::format("nothing was written to {}", file_)) {
  result_.file = file_;
  if (options.threads > 0) {
    set_thread_count(options.threads);
  } else if (resumed) {
    set_thread_count(resumed->integer("/environment/threads"));
  }
  if (const std::string warning = thread_warning(); !warning.empty()) say(warning);
  all_ = data_ = load_data(plan);
  digest_ = digest(all_);
  if (resumed) {
    store_ = std::move(*resumed);
    if (store_.text("/experiment/data") != digest_) {
      throw Error(fmt::format(
          "[results] {} was begun with other data of the same name; run it again with --force", file_));
    }
    earlier_train_ = store_.number("/time/train_seconds");
    earlier_evaluate_ = store_.number("/time/evaluate_seconds");
    saved_ = fmt::format("the last checkpoint is kept in {}", file_);
    look_at_earlier_environment();
  }
  describe();
}

void Run::look_at_earlier_environment() {
  const auto environment = [](const std::string& revision, std::int64_t threads, const std::string& device) {
    return fmt::format("revision {}, threads {}, device {}", revision, threads, device);
  };
  const std::string before =
      environment(store_.text("/environment/revision"), store_.integer("/environment/threads"),
                  store_.text("/environment/device"));
  if (const Index threads = store_.integer("/environment/threads"); threads != thread_count()) {
    say(fmt::format(
        "warning: {} has steps by {} threads and goes on with {}: the results may differ from those "
        "of an unbroken run in their last bits",
        file_, threads, thread_count()));
  }
  std::vector<std::string> earlier;
  if (store_.has("/environment/earlier")) earlier = store_.texts("/environment/earlier");
  if (before != environment(options_.revision, thread_count(), to_string(options_.device))) {
    if (std::find(earlier.begin(), earlier.end(), before) == earlier.end()) earlier.push_back(before);
    store_.put_texts("/environment/earlier", earlier);
  }
  if (earlier.empty() && !unrecorded_changes(options_.revision).empty()) {
    earlier = {"a program that its revision does not tell"};
  }
  if (earlier.empty() || !cache_.enabled()) return;
  say(fmt::format("{} has steps by {}: the run goes on without the cache", file_, fmt::join(earlier, "; ")));
  cache_ = Cache("");
}

void Run::describe() {
  store_.attribute("", "format", std::string("basin results"));
  store_.attribute("", "format_version", kFormatVersion);
  store_.put_text("/experiment/given", plan_.given);
  store_.put_text("/experiment/resolved", plan_.resolved);
  store_.put("/experiment/seed", std::vector<std::int64_t>{static_cast<std::int64_t>(plan_.seed)});
  store_.put_text("/experiment/data", digest_);
  if (!store_.has("/experiment/stages")) store_.put_texts("/experiment/stages", {});
  std::vector<std::string> libraries;
  for (const auto& [name, version] : library_versions()) libraries.push_back(name + " " + version);
  store_.put_text("/environment/revision", options_.revision);
  store_.put_texts("/environment/libraries", libraries);
  store_.put_text("/environment/processor", processor_name());
  store_.put_text("/environment/device", to_string(options_.device));
  store_.put("/environment/threads", std::vector<std::int64_t>{thread_count()});
  if (!store_.has("/time/started")) {
    store_.put("/time/started", std::vector<std::int64_t>{static_cast<std::int64_t>(std::time(nullptr))});
    store_.attribute("/time/started", "unit", std::string("seconds since 1970-01-01 UTC"));
  }
}

void Run::take(const std::string& stage, const Store& results) {
  std::vector<std::string> names = store_.texts("/experiment/stages");
  if (std::find(names.begin(), names.end(), stage) == names.end()) names.push_back(stage);
  store_.put_texts("/experiment/stages", names);
  store_.put_group(stage_group(stage), results);
  const std::string last = plan_.head ? kHead : plan_.stages.back().name;
  store_.put_text("/experiment/status",
                  stage == last && !results.text("/status").empty() ? results.text("/status") : "training");
}

void Run::save(double train_seconds, double evaluate_seconds) {
  const auto time = [&](const char* name, double value, const char* unit) {
    store_.put(std::string("/time/") + name, std::vector<double>{value});
    store_.attribute(std::string("/time/") + name, "unit", std::string(unit));
  };
  time("train_seconds", earlier_train_ + train_seconds, "s");
  time("evaluate_seconds", earlier_evaluate_ + evaluate_seconds, "s");
  time("peak_memory", static_cast<double>(peak_memory()), "bytes");
  store_.save(file_);
  saved_ = fmt::format("the last checkpoint is kept in {}", file_);
}

bool Run::run(const StagePlan& plan, const Stage& stage, Store results) {
  if (stage.pixels.scale == PixelScale::Stochastic && !in_unit_interval(data_.train)) {
    throw Error(
        fmt::format("[experiment] stage {}: expected probabilities to draw bits with, received numbers "
                    "outside [0, 1]; {}",
                    stage.name,
                    &plan == &plan_.stages.front() ? "set data.scale = \"unit\""
                                                   : "set input = \"means\", or visible = \"gaussian\""));
  }
  const StageWork work{.plan = plan,
                       .stage = stage,
                       .data = data_,
                       .hooks = hooks_,
                       .checkpoint_seconds = plan_.checkpoint_seconds,
                       .save =
                           [&](const Store& now, double train_seconds, double evaluate_seconds) {
                             take(stage.name, now);
                             save(train_seconds, evaluate_seconds);
                           },
                       .saved = [this] { return saved_; },
                       .draw = [&](const StageView& view, const Store& now) { draw(plan, view, now); }};
  const StageOutcome outcome = run_stage(work, results);
  earlier_train_ += outcome.train_seconds;
  earlier_evaluate_ += outcome.evaluate_seconds;
  result_.train_seconds += outcome.train_seconds;
  result_.train_samples += outcome.train_samples;
  if (is_pipeline() && !outcome.report.empty()) result_.report += fmt::format("stage {}\n", stage.name);
  result_.report += outcome.report;
  return outcome.complete;
}

void Run::draw(const StagePlan& plan, const StageView& view, const Store& results) {
  if (!options_.pictures) return;
  for (const std::string& plot : plan.plots) {
    const std::string path = picture_path(file_, plot, "png", is_pipeline() ? plan.name : "");
    basin::draw(plot, {.path = path, .tiles = {.sort_by_norm = true}, .title = plan_.data.name}, view,
                results);
    result_.pictures.push_back(path);
  }
}

std::string Run::cache_key(std::size_t i) const {
  std::string text = fmt::format("basin stage {}\nrevision {}{}\nseed {}\ndevice {}\nthreads {}\nsmoke {}\n",
                                 kFormatVersion, options_.revision, unrecorded_changes(options_.revision),
                                 plan_.seed, to_string(options_.device), thread_count(), plan_.smoke);
  text += fmt::format("data {} scale {} threshold {}\n", digest_, static_cast<int>(plan_.data.scale),
                      plan_.data.threshold);
  for (std::size_t k = 0; k <= i; ++k) text += fmt::format("[[stages]]\n{}\n", plan_.stages[k].tables);
  return Sha256().update(text).hex();
}

bool Run::pretrain(std::size_t i) {
  const StagePlan& plan = plan_.stages[i];
  const std::string group = stage_group(plan.name), key = cache_key(i), what = "stage " + plan.name;
  stages_.push_back(
      make_stage(plan_, i, data_.train.shape(), !in_unit_interval(data_.train), options_.device));
  const Stage& stage = stages_.back();
  Store results = store_.group(group);
  const bool done = is_complete(results);
  const std::shared_ptr<void> lock = done ? nullptr : cache_.lock(key + ".lock", what);
  if (done) {
    restore_stage(stage, results);
  } else if (cache_.holds(key + ".h5")) {
    say(fmt::format("{}: taken from the cache {}", what, cache_.path(key.substr(0, 12))));
    results = Store::load(cache_.path(key + ".h5"));
    restore_stage(stage, results);
    const Carry carry = carry_of(results, options_.device);
    draw(plan,
         {.stage = stage,
          .data = [this]() -> const Dataset& { return data_; },
          .preprocessing = [this]() -> const Preprocessing& { return data_.preprocessing; },
          .carry = carry},
         results);
    take(plan.name, results);
    save(0.0, 0.0);
  } else {
    if (is_pipeline()) say(fmt::format("{} ({})", what, stage.kind));
    if (!run(plan, stage, std::move(results))) return false;
    cache_.keep(key + ".h5", [&](const std::string& path) { store_.group(group).save(path); });
  }
  if (i + 1 < plan_.stages.size()) {
    data_ = encoded(stage, data_, cache_, cache_.enabled() ? key : "");
  }
  return true;
}

void Run::begin_at_random(std::size_t i) {
  stages_.push_back(
      make_stage(plan_, i, data_.train.shape(), !in_unit_interval(data_.train), options_.device));
  const Stage& stage = stages_.back();
  randomise(stage);
  // Only stages that find numbers in the data need to see what comes to them.
  const bool fixed_above =
      std::any_of(plan_.stages.begin() + static_cast<std::ptrdiff_t>(i) + 1, plan_.stages.end(),
                  [](const StagePlan& above) { return above.is_fixed(); });
  if (!stage.objective && stage.start) stage.start(stage_source(stage, data_.train), hooks_.say);
  if (i + 1 == plan_.stages.size()) return;
  if (!fixed_above) data_.train = data_.train.head(1);
  data_.test = data_.validation = {};
  Cache none("");
  data_ = encoded(stage, data_, none);
}

bool Run::train_head() {
  data_ = all_;
  data_.train = all_.labelled;
  const Stage head = make_head(plan_, stages_, data_.train, options_.device);
  say(fmt::format("head ({} labelled samples)", data_.train.count));
  StagePlan plan = *plan_.head;
  for (const Stage& stage : stages_) {
    const bool has_numbers = stage.encoder && !stage.encoder->parameters().empty();
    if (plan_.protocol == Protocol::LayerwiseFrozen && has_numbers)
      plan.optimizer.rates[stage.name + "."] = 0.0;
  }
  return run(plan, head, store_.group(stage_group(kHead)));
}

RunResult Run::finish() {
  const bool pretrained = plan_.protocol != Protocol::Supervised || !plan_.head;
  bool go_on = true;
  for (std::size_t i = 0; go_on && i < plan_.stages.size(); ++i) {
    pretrained ? void(go_on = pretrain(i)) : begin_at_random(i);
  }
  if (go_on && plan_.head) go_on = train_head();
  if (go_on && store_.text("/experiment/status") != "complete") {  // all came from the cache
    store_.put_text("/experiment/status", "complete");
    save(0.0, 0.0);
  }
  result_.complete = go_on;
  result_.store = std::move(store_);
  return std::move(result_);
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
    RunResult result;
    result.complete = result.was_complete = true;
    result.file = file;
    result.store = std::move(*resumed);
    return result;
  }
  return Run(plan, options, hooks, file, std::move(resumed)).finish();
}

std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension,
                         const std::string& stage) {
  std::filesystem::path path(file);
  path.replace_filename(
      fmt::format("{}_{}{}{}.{}", path.stem().string(), stage, stage.empty() ? "" : "_", plot, extension));
  return path.string();
}

}  // namespace basin
