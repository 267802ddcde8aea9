#include "training/experiment/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <limits>
#include <utility>

#include "results/environment.h"
#include "results/results_file.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/plots/plot.h"

namespace basin {
namespace {

std::string environment(const std::string& revision, std::int64_t threads, const std::string& device) {
  return fmt::format("revision {}, threads {}, device {}", revision, threads, device);
}

}  // namespace

std::string unrecorded_changes(const std::string& revision) {
  if (!revision.empty() && revision != "unknown" && !revision.ends_with("-dirty")) return "";
  std::error_code ignored;
  const auto when = std::filesystem::last_write_time("/proc/self/exe", ignored);
  return fmt::format(", program of {}", when.time_since_epoch().count());
}

std::string time_of_stage(const std::string& stage) { return "/time/stages/" + stage + "/train_seconds"; }

Record::Record(const Plan& plan, const RunOptions& options, std::string file, std::optional<Store> resumed,
               const std::string& data, const Say& say)
    : plan_(plan),
      options_(options),
      is_resumed_(resumed.has_value()),
      saved_(fmt::format("nothing was written to {}", file)) {
  result.file = std::move(file);
  if (resumed) {
    Store& store = result.store = std::move(*resumed);
    earlier_train_ = store.number("/time/train_seconds");
    for (const std::string& stage : stage_names(store)) {
      const std::string path = time_of_stage(stage);
      stage_seconds_[stage] = store.has(path) ? store.number(path) : std::numeric_limits<double>::quiet_NaN();
    }
    earlier_evaluate_ = store.number("/time/evaluate_seconds");
    saved_ = fmt::format("the last checkpoint is kept in {}", result.file);
    const Index threads = store.integer("/environment/threads");
    if (say && threads != thread_count()) {
      say(
          fmt::format("warning: {} has steps by {} threads and goes on with {}: the results may differ from "
                      "those of an unbroken run in their last bits",
                      result.file, threads, thread_count()));
    }
    const std::string place = place_of(store), now = place_in_words(options.device);
    if (say && place != now) {
      say(fmt::format(
          "warning: {} has steps on {} and goes on on {}: the results may differ from those of an "
          "unbroken run in their last bits",
          result.file, place, now));
    }
    const std::string before = environment(store.text("/environment/revision"), threads, place);
    std::vector<std::string> earlier;
    if (store.has("/environment/earlier")) earlier = store.texts("/environment/earlier");
    if (before != environment(options.revision, thread_count(), now) &&
        std::find(earlier.begin(), earlier.end(), before) == earlier.end()) {
      earlier.push_back(before);
      store.put_texts("/environment/earlier", earlier);
    }
  }
  describe(data);
}

void Record::describe(const std::string& data) {
  Store& store = result.store;
  store.attribute("", "format", std::string("basin results"));
  store.attribute("", "format_version", kFormatVersion);
  if (!options_.experiment.empty()) store.put_text("/experiment/file", options_.experiment);
  store.put_text("/experiment/given", plan_.given);
  store.put_text("/experiment/resolved", plan_.resolved);
  store.put_integer("/experiment/seed", static_cast<std::int64_t>(plan_.seed));
  store.put_text("/experiment/data", data);
  if (!store.has("/experiment/stages")) store.put_texts("/experiment/stages", {});
  std::vector<std::string> libraries;
  for (const auto& [name, version] : library_versions(options_.device))
    libraries.push_back(name + " " + version);
  store.put_text("/environment/revision", options_.revision);
  store.put_texts("/environment/libraries", libraries);
  store.put_text("/environment/processor", processor_name());
  store.put_text("/environment/device", to_string(options_.device));
  store.remove("/environment/accelerator");
  store.remove("/environment/products");
  if (const std::string accelerator = accelerator_name(options_.device); !accelerator.empty()) {
    store.put_text("/environment/accelerator", accelerator);
    store.put_text("/environment/products", product_precision(options_.device));
  }
  store.put_integer("/environment/threads", thread_count());
  if (!store.has("/time/started")) {
    store.put_integer("/time/started", static_cast<std::int64_t>(std::time(nullptr)));
    store.attribute("/time/started", "unit", std::string("seconds since 1970-01-01 UTC"));
  }
}

std::vector<std::string> Record::others() const {
  const Store& store = result.store;
  if (store.has("/environment/earlier")) return store.texts("/environment/earlier");
  if (store.has("/experiment/lengthened")) return {"a shorter training"};
  if (!is_resumed_ || unrecorded_changes(options_.revision).empty()) return {};
  return {"a program that its revision does not tell"};
}

Store Record::stage(const std::string& name) const { return result.store.group(stage_group(name)); }

void Record::trained(const std::string& stage, double seconds) {
  result.train_seconds += seconds;
  stage_seconds_[stage] += seconds;
}

double Record::train_seconds(const std::string& stage) const {
  const auto found = stage_seconds_.find(stage);
  return found == stage_seconds_.end() ? 0.0 : found->second;
}

void Record::put_time(const std::string& path, double value, const char* unit) {
  result.store.put_number(path, value);
  result.store.attribute(path, "unit", std::string(unit));
}

void Record::save(const std::string& stage, const Store& results) {
  Store& store = result.store;
  std::vector<std::string> names = store.texts("/experiment/stages");
  if (std::find(names.begin(), names.end(), stage) == names.end()) names.push_back(stage);
  store.put_texts("/experiment/stages", names);
  store.put_group(stage_group(stage), results);
  const std::string last = plan_.head ? kHead : plan_.stages.back().name;
  store.put_text("/experiment/status", stage == last ? results.text("/status") : "training");
  put_time(time_of_stage(stage), train_seconds(stage), "s");
  put_time("/time/train_seconds", earlier_train_ + result.train_seconds, "s");
  put_time("/time/evaluate_seconds", earlier_evaluate_ + evaluate_seconds, "s");
  put_time("/time/peak_memory", static_cast<double>(peak_memory()), "bytes");
  if (options_.device == Device::Cuda)
    put_time("/time/peak_device_memory", static_cast<double>(cuda_memory().peak), "bytes");
  store.save(result.file);
  saved_ = fmt::format("the last checkpoint is kept in {}", result.file);
  last_save_ = std::chrono::steady_clock::now();
}

bool Record::is_due() const {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last_save_;
  return since.count() >= plan_.checkpoint_seconds;
}

void Record::judge(const StagePlan& plan, Store& results) {
  if (plan_.judges()) result.report += judge_expected(plan.expected, results);
}

void Record::draw(const StagePlan& plan, const StageView& view, const Store& results) {
  if (!options_.pictures) return;
  for (const std::string& plot : plan.plots) {
    const std::string path = picture_path(result.file, plot, "png", is_pipeline() ? plan.name : "");
    try {
      basin::draw(plot, {.path = path, .tiles = {.sort_by_norm = true}, .title = plan_.data.name}, view,
                  results);
      result.pictures.push_back(path);
    } catch (const NothingToDraw& error) {
      if (view.say) view.say(fmt::format("warning: no picture {}: {}", path, error.what()));
    }
  }
}

void Record::take_start() {
  Store& store = result.store;
  const std::vector<std::string> begun = store.texts("/experiment/stages");
  const std::string last = plan_.head ? kHead : plan_.stages.back().name;
  if (plan_.init_from.empty() || (!begun.empty() && begun.back() == last)) return;
  std::error_code none;
  if (std::filesystem::equivalent(plan_.init_from, result.file, none)) {
    throw Error(
        fmt::format("[init_from] expected another file than the one that the run writes, received {}; name "
                    "another by --out",
                    plan_.init_from));
  }
  start = StartingPoint(plan_.init_from);
  constexpr const char* kPath = "/experiment/init_from";
  if (store.has(kPath) && store.text(kPath) != start.digest()) {
    throw Error(
        fmt::format("[init_from] expected {} as it was when {} was begun, received another file; bring it "
                    "back, or begin anew with --force",
                    plan_.init_from, result.file));
  }
  store.put_text(kPath, start.digest());
}

}  // namespace basin
