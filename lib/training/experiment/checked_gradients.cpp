#include "training/experiment/checked_gradients.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "results/results_file.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/experiment/belief_net.h"
#include "training/experiment/cut_patches.h"
#include "training/experiment/encode.h"
#include "training/experiment/stack.h"
#include "training/gradient_check.h"

namespace basin {
namespace {

constexpr Index kSamples = 500;  // that a stage starts from
constexpr Index kBatch = 8;

Plan in_f64(Plan plan) {
  for (StagePlan& stage : plan.stages) {
    stage.train.dtype = Dtype::F64;
    if (stage.learns_patches) continue;
    stage.train.batch = std::min(stage.train.batch, kBatch);
  }
  if (plan.head) plan.head->train.dtype = Dtype::F64;
  return plan;
}

/// The first samples of those for training; labels as they are.
Dataset few_of(Dataset data) {
  const auto first = [](const Samples& samples) {
    return samples.count <= kSamples ? samples : samples.head(kSamples);
  };
  data.train = first(data.train);
  data.labelled = first(data.labelled);
  data.validation = data.test = {};
  return data;
}

/// "stage first: " where there are several.
std::string opening(const Stage& stage) {
  return stage.name == kOnlyStage ? "" : fmt::format("stage {}: ", stage.name);
}

/// Lines about one stage; names of parameters that disagree.
std::vector<std::string> check_stage(const Stage& stage, const Dataset& data, const Say& say) {
  const auto tell = [&](const std::string& line) {
    say ? say("gradients    " + opening(stage) + line) : void();
  };
  std::vector<Source> sources = {training_batches(stage, data)};
  if (stage.further) std::ranges::move(stage.further(), std::back_inserter(sources));
  const Key noise = stage.key.fold("gradients");
  std::vector<State> batches;
  for (const Source& source : sources) {
    const Index rows = std::min(source.count(), kBatch);
    std::vector<Index> order = source.order(noise.fold("order"), rows);
    order.resize(static_cast<std::size_t>(rows));
    State batch = source.batch(order, noise.fold("pixels"));
    batch.in(batch.context().with(noise.fold("noise").fold(batches.size())));
    batches.push_back(std::move(batch));
  }
  const HeldLoss held = held_loss(*stage.objective, stage.graph, batches, {}, noise);
  if (!held.value) {
    tell(fmt::format("{} cannot be checked: {}", stage.objective->name(), held.why_none));
    return {};
  }
  std::vector<std::string> wrong;
  for (const GradientCheck& one : check_gradients(stage.graph, *stage.objective, batches, {}, noise)) {
    if (one.checked == 0) {
      tell(fmt::format("{}: moved by the objective itself, not by a gradient", one.parameter));
    } else if (one.disagrees.empty()) {
      tell(fmt::format("{}: {} of {} numbers agree, to {:.1e} of at most {:.3g}", one.parameter, one.agree,
                       one.checked, one.worst, one.largest));
    } else {
      tell(fmt::format("{}: {} of {} numbers agree; {}", one.parameter, one.agree, one.checked,
                       one.disagrees));
      wrong.push_back(opening(stage) + one.parameter);
    }
  }
  return wrong;
}

}  // namespace

void check_gradients(const Plan& given, Device device, const Say& say) {
  const Plan plan = in_f64(given);
  const Dataset all = few_of(load_data(plan));
  std::vector<Stage> stages = make_stages(plan, all.train.shape(), device, [&] { return all.train; });
  for (std::size_t i = 1; i < stages.size(); ++i)
    join_below(stages[i], std::span(stages).first(i), [&]() -> const Dataset& { return all; });
  std::vector<std::string> wrong;
  const auto add = [&](const Stage& stage, const Dataset& data) {
    const std::vector<std::string> own = check_stage(stage, data, say);
    wrong.insert(wrong.end(), own.begin(), own.end());
  };
  Cache none("");
  Dataset data = all;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const bool of_patches = stage.facets.get<Everywhere>() != nullptr;
    const Dataset own = of_patches ? cut_patches(std::span(&stage, 1), data) : data;
    if (stage.start) stage.start(stage_source(stage, own.train), {});
    if (stage.objective) add(stage, own);
    if (i + 1 < stages.size() || (plan.head && plan.head->learns_codes)) data = encoded(stage, data, none);
  }
  if (plan.head) {
    Stage head = make_head(plan, stages, all.train.shape(), label_column(all.labelled), device,
                           [&] { return all.train; });
    join_below(head, stages, [&]() -> const Dataset& { return all; });
    const Dataset own = head_data(head, plan.head->learns_codes ? data : all);
    if (head.start) head.start(stage_source(head, own.train), {});
    if (head.objective) add(head, own);
  }
  if (wrong.empty()) return;
  throw Error(
      fmt::format("[gradients] expected gradients that agree with finite differences, received others of "
                  "{}; the loss or a derivative is wrong: report it, with the experiment file",
                  fmt::join(wrong, ", ")));
}

}  // namespace basin
