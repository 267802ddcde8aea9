#include "training/experiment/restored.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "autograd/ops.h"
#include "config/article.h"
#include "data/catalog.h"
#include "data/digest.h"
#include "results/pictures/picture.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/experiment/belief_net.h"
#include "training/experiment/checkpoint.h"
#include "training/experiment/cut_patches.h"
#include "training/experiment/encode.h"
#include "training/experiment/stack.h"
#include "training/experiment/stage_run.h"

namespace basin {
namespace {

/// The data of layers that learned from another file, in version 1.
constexpr const char* kFeatures = "name = \"features\"";

/// How many classes a head was trained for; 0: it learned no labels.
Index classes_of(const Store& head) {
  if (head.has("/classes")) return head.integer("/classes");
  // Files of before had softmax heads alone.
  return head.has("/parameters/head.bias") ? head.shape("/parameters/head.bias").at(0) : 0;
}

std::string stage_or_last(const Store& store, const std::string& stage) {
  const std::vector<std::string> names = stage_names(store);
  const std::string wanted = stage.empty() && !names.empty() ? names.back() : stage;
  if (std::find(names.begin(), names.end(), wanted) == names.end()) {
    throw Error(fmt::format("[results] expected one of the file's stages {}, received '{}'",
                            fmt::join(names, ", "), wanted));
  }
  return wanted;
}

}  // namespace

Plan plan_of(const Store& store, const std::vector<std::string>& settings) {
  std::string resolved = store.text("/experiment/resolved");
  bool had_features = false;
  if (const std::size_t at = resolved.find(kFeatures);
      format_version(store) == 1 && at != std::string::npos) {
    had_features = true;
    resolved.replace(at, std::string(kFeatures).size(),
                     fmt::format("name = \"{}\"", catalog().front().name));  // any that is known
  }
  Config config = Config::parse(resolved, "experiment in the results file");
  for (const std::string& setting : settings) config.set(setting);
  Plan plan = read_plan(config);
  if (had_features) plan.data.name = "features";
  return plan;
}

std::string table_of(const Store& store, const std::string& stage) {
  const std::string wanted = stage_or_last(store, stage);
  return wanted == kOnlyStage || wanted == kHead ? "" : fmt::format("stages.{}.", wanted);
}

RestoredStage::RestoredStage(const Store& store, Plan plan, const std::string& name, Device device)
    : plan_(std::move(plan)) {
  const std::string wanted = stage_or_last(store, name);
  if (store.has("/experiment/data")) digest_ = store.text("/experiment/data");
  may_differ_ = plan_.data.table != plan_of(store).data.table;
  results_ = store.group(stage_group(wanted));
  const std::string first = stage_group(stage_names(store).front());
  for (const std::int64_t extent : store.integers(first + "/sample_shape")) sample_shape_.push_back(extent);
  stages_ = make_stages(plan_, sample_shape_, device, [this] { return samples().train; });
  if (wanted == kHead) {
    // As many classes as it was trained for; the column of labels is known once data are asked for.
    stages_.push_back(make_head(plan_, stages_, sample_shape_, {.classes = classes_of(results_)}, device,
                                [this] { return samples().train; }));
  }
  for (std::size_t i = 1; i < stages_.size(); ++i)
    join_below(stages_[i], std::span(stages_).first(i), [this]() -> const Dataset& { return samples(); });
  while (stages_.back().name != wanted) stages_.pop_back();
  // Stages that were not trained by themselves have their numbers from the head.
  for (const Stage& stage : stages_) {
    const std::string group = stage_group(stage.name);
    if (store.has(group)) restore_stage(stage, store.group(group));
  }
  carry_ = carry_of(results_, device);
  preprocessing_ = read_preprocessing(results_);
}

StageView RestoredStage::view(const Say& say) {
  return {.stage = stage(),
          .data = [this]() -> const Dataset& { return data(); },
          .preprocessing = [this]() -> const Preprocessing& { return preprocessing_; },
          .carry = carry_,
          .say = say};
}

Dataset RestoredStage::codes(std::optional<Dataset> samples) const {
  if (samples && !preprocessing_.is_identity()) {
    throw Error(
        fmt::format("[encode] expected the run's own samples, received others of {}: the run's were "
                    "preprocessed, and how is not kept for these; leave the file out",
                    to_string(sample_shape_)));
  }
  Dataset found = samples ? std::move(*samples) : load();
  for (const Samples* part : {&found.train, &found.validation, &found.test}) {
    if (part->count > 0 && part->shape() != sample_shape_) {
      throw Error(fmt::format("[encode] expected samples of shape {}, received {}", to_string(sample_shape_),
                              to_string(part->shape())));
    }
  }
  Cache none("");
  for (const Stage& stage : stages_) {
    if (stage.name != kHead) found = encoded(stage, found, none);
  }
  return found;
}

CodeWords RestoredStage::code_words() const {
  const auto below = static_cast<std::size_t>(
      std::ranges::count_if(stages_, [](const Stage& stage) { return stage.name != kHead; }));
  if (below == 0) return {.text = "the samples themselves", .unit = "of the samples"};
  const Stage& last = stages_[below - 1];
  const auto* own = last.facets.get<CodeWords>();
  CodeWords words = own != nullptr ? *own : CodeWords{"outputs of the encoder"};
  if (last.facets.get<Everywhere>() != nullptr) words.text += ", at every place of a sample";
  if (below > 1) words.text += fmt::format(", through the {} stages below", below - 1);
  words.text += fmt::format(" ({}{})", with_article(last.kind),
                            last.name == kOnlyStage ? "" : fmt::format(", stage {}", last.name));
  return words;
}

Column RestoredStage::decoded(const Column& samples) const {
  if (stages_.size() < 2) return samples;
  refuse_patches("sample", stages_);
  Value x = samples.reals().to(stages_.front().placement);
  for (std::size_t i = stages_.size() - 1; i-- > 0;) {
    const Stage& below = stages_[i];
    if (!below.decoder)
      throw Error(fmt::format("[sample] expected a decoder of stage {} below {}, received {}, which has none",
                              below.name, stage().name, with_article(below.kind)));
    x = below.decoder->forward(x).detached();
  }
  Shape shape = sample_shape_;
  shape.insert(shape.begin(), samples.count());
  return real_column(samples.name(), on_host(reshape(x, shape).tensor()));
}

Dataset RestoredStage::load() const { return load_data(plan_, may_differ_ ? "" : digest_); }

const Dataset& RestoredStage::samples() {
  if (!samples_) {
    samples_ = load();
    has_other_samples_ = may_differ_ && !digest_.empty() && digest(*samples_) != digest_;
  }
  return *samples_;
}

const Dataset& RestoredStage::data() {
  if (data_) return *data_;
  data_ = samples();
  const bool is_head = stage().name == kHead;
  if (is_head && stage().inputs.size() > 1) {
    const LabelColumn labels = label_column(data_->train);
    Input& input = stages_.back().inputs[1];
    if (labels.classes != input.variable.size()) {
      data_.reset();
      throw Error(
          fmt::format("[head] expected labels of {} classes, as it was trained for, received {} of {}",
                      input.variable.size(), labels.classes, plan_.data.name));
    }
    input.column = labels.name;
  }
  if (!is_head || plan_.head->learns_codes) {
    const auto below = std::span<const Stage>(stages_).first(stages_.size() - 1);
    Cache none("");
    if (stage().facets.get<Everywhere>() != nullptr)
      data_ = cut_patches(stages_, *data_);
    else if (!below.empty())
      data_ = encoded(below, *data_, none);
  }
  if (is_head) data_ = head_data(stage(), std::move(*data_));
  return *data_;
}

}  // namespace basin
