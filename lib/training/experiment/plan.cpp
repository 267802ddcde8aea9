#include "training/experiment/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "config/article.h"
#include "config/belongs.h"
#include "config/reader.h"
#include "data/digest.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/experiment/compare_options.h"
#include "training/plots/snapshot.h"

namespace basin {
namespace {

TestUse read_test_use(const Config& table) {
  if (!table.has("test_use")) return TestUse::Epochs;
  const std::string use = table.choice("test_use", {"epochs", "end", "never"});
  return use == "epochs" ? TestUse::Epochs : use == "end" ? TestUse::End : TestUse::Never;
}

Plan::Data read_data(const Config& config) {
  const Config table = config.table("data");
  DatasetChoice choice = read_dataset(table);
  const PixelScale scale = read_pixel_scale(table, "scale", "unit");
  const double threshold = Reader(table).within("threshold", 0.0, 1.0, 0.5);
  // No part of an experiment that does not say it.
  const Augmentation augment =
      table.has("augment") ? read_augmentation(table.table("augment")) : Augmentation{};
  const TestUse test_use = read_test_use(table);
  return {.name = std::move(choice.name),
          .options = std::move(choice.options),
          .scale = scale,
          .threshold = threshold,
          .augment = augment,
          .test_use = test_use,
          .table = table.resolved()};
}

Dtype read_dtype(const Config& train) { return parse_dtype(train.choice("dtype", {"f32", "f64"}, "f32")); }

/// What every training has.
void read_train(const Reader& in, bool smoke, StagePlan::Train& train) {
  train.epochs = in.count("epochs", 1);
  if (smoke) train.epochs = std::min<Index>(train.epochs, 2);
  train.batch = in.count("batch", 1, 100);
  train.metrics_every = in.count("metrics_every", 0, 0);
  train.stop = read_early_stop(in.table());
  // No part of an experiment that does not say it.
  if (in.table().has("on_unhealthy") &&
      in.table().choice("on_unhealthy", {"stop", "roll_back"}) == "roll_back")
    train.roll_backs = in.count("roll_backs", 1, 5);
  refuse_unless(train.roll_backs.has_value(), in.table(), {"roll_backs"}, "on_unhealthy = \"roll_back\"");
}

/// A training is rolled back to half its learning rate.
void check_roll_backs(const Config& train, const StagePlan& stage) {
  for (const char* kind : {"none", "lbfgs", "conjugate_gradient"}) {
    if (stage.train.roll_backs && stage.optimizer.kind == kind)
      train.fail(
          "on_unhealthy",
          fmt::format(
              "expected \"stop\" for an optimizer without a learning rate, \"{}\", received \"roll_back\"",
              kind));
  }
}

/// Averages are over what comes after the best epoch, too.
void check_average(const Config& config, const StagePlan& stage) {
  if (stage.optimizer.average && stage.train.stop && stage.train.stop->keep == Keep::Best)
    config.table("optimizer")
        .fail("average", "expected no average of parameters where keep = \"best\"; remove one of them");
}

std::vector<std::string> read_plots(const Config& table, const std::vector<std::string>& known) {
  std::vector<std::string> plots = table.texts("plots", std::vector<std::string>{});
  for (const std::string& plot : plots) {
    if (std::find(known.begin(), known.end(), plot) == known.end()) {
      table.fail("plots", fmt::format("expected some of {}, received '{}'", fmt::join(known, ", "), plot));
    }
  }
  return plots;
}

/// The kind that a table names, of those that may stand there.
const Kind& read_kind(const Config& table, Place place, const char* fallback) {
  const std::string name = table.choice("kind", kind_names(place), fallback);
  return *std::ranges::find_if(kinds(),
                               [&](const Kind& kind) { return kind.place == place && kind.name == name; });
}

/// How many epochs from one snapshot to the next; 0: none.
Index read_snapshots(const Config& table, const StagePlan& stage) {
  // No part of an experiment that does not say it.
  if (!table.has("snapshots")) return 0;
  const Index every = Reader(table).count("snapshots", 1);
  if (stage.is_fixed()) table.fail("snapshots", "expected a stage that is trained, received one that is not");
  if (stage.train.epochs / every > kMostSnapshots) {
    table.fail("snapshots",
               fmt::format("expected at most {} snapshots, received one every {} of {} epochs; raise it",
                           kMostSnapshots, every, stage.train.epochs));
  }
  return every;
}

/// The tables of one stage.
StagePlan read_stage_plan(const Config& config, std::string name, Plan& plan) {
  StagePlan stage;
  stage.name = std::move(name);
  const bool is_first = plan.stages.empty();
  stage.kind = &read_kind(config.table("model"), Place::Stage, kDefaultKind);
  StageTables tables{
      .config = config, .smoke = plan.smoke, .scale = is_first ? plan.data.scale : PixelScale::Unit};
  stage.build = read_stage(*stage.kind, tables);
  stage.learns_patches = config.has("patches");
  stage.train.objective = tables.objective;
  if (!is_first) stage.draws_bits = config.choice("input", {"bits", "means"}, "bits") == "bits";
  if (!stage.is_fixed()) {
    stage.optimizer = read_optimizer(config.table("optimizer"), tables.learning_rate);
    if (stage.optimizer.kind == "none" && tables.needs_optimizer) {
      config.table("optimizer")
          .fail("kind", fmt::format("'none' leaves parameters as they are that {} with train.objective = "
                                    "\"{}\" should learn; take \"sgd\" or \"adam\"",
                                    with_article(stage.kind->name), stage.train.objective));
    }
    const Reader train(config.table("train"));
    read_train(train, plan.smoke, stage.train);
    if (config.has("health")) stage.train.health = read_health(config.table("health"));
    check_average(config, stage);
    check_roll_backs(train.table(), stage);
    stage.train.dtype = read_dtype(train.table());
  } else if (const Config train = config.table("train"); train.has("dtype")) {
    stage.train.dtype = read_dtype(train);  // of its own numbers, and of the head that trains them
  }
  stage.plots = read_plots(config.table("results"), tables.plots);
  stage.snapshots = read_snapshots(config.table("results"), stage);
  stage.plots_above = tables.plots_above;
  const bool is_beside_head = stage.name == kOnlyStage && config.has("head");  // whose [expect] it is
  if (!is_beside_head && config.has("expect")) stage.expected = read_expected(config.table("expect"));
  stage.tables = config.resolved({"results", "expect"});
  if (stage.snapshots > 0) stage.tables += fmt::format("snapshots = {}\n", stage.snapshots);
  if (tables.smoke_samples) {
    const Index few = std::max(*tables.smoke_samples, stage.train.batch);
    Index& train = plan.data.options.train;
    train = train == 0 ? few : std::min(train, few);
  }
  return stage;
}

/// [[stages]], or the one stage of the file itself.
void read_stages(const Config& config, Plan& plan) {
  if (!config.has("stages")) {
    if (config.has("model") || !config.has("head")) {
      plan.stages.push_back(read_stage_plan(config, kOnlyStage, plan));
    } else {
      refuse_unless(false, config, {"train", "health", "optimizer"},
                    "[fine_tune] where a head is all there is");
    }
    return;
  }
  refuse_unless(false, config, {"model", "patches", "train", "health", "inference", "optimizer", "evaluate"},
                "each of [[stages]], beneath its name ([stages.health]), or of the head to [fine_tune]");
  for (const Config& table : config.tables("stages")) {
    const std::string name = table.text("name");
    constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const bool begins_well = !name.empty() && (name[0] < '0' || name[0] > '9');
    if (!begins_well || name.find_first_not_of(kLetters) != std::string::npos || name == kHead) {
      table.fail("name", fmt::format("expected letters and digits and not '{}', received '{}'", kHead, name));
    }
    if (std::any_of(plan.stages.begin(), plan.stages.end(), [&](const auto& s) { return s.name == name; })) {
      table.fail("name", fmt::format("expected names that differ, received '{}' twice", name));
    }
    plan.stages.push_back(read_stage_plan(table, name, plan));
  }
  if (plan.stages.empty() && !config.has("head"))
    config.fail("stages", "expected at least one stage where there is no [head], received none; add one");
}

/// Weights of stages' own objectives beside the head's; no part of an experiment that does not say it.
JointWeights read_joint(const Config& fine_tune, const Plan& plan) {
  if (!fine_tune.has("joint")) return {};
  JointWeights joint;
  std::vector<std::string> names;
  for (const StagePlan& stage : plan.stages) names.push_back(stage.name);
  for (const auto& [name, weight] : fine_tune.factors("joint")) {
    const auto stage = std::ranges::find(plan.stages, name, &StagePlan::name);
    if (stage == plan.stages.end()) {
      fine_tune.fail(
          "joint", fmt::format("expected names of stages ({}), received '{}'", fmt::join(names, ", "), name));
    }
    if (stage->is_fixed()) {
      fine_tune.fail("joint", fmt::format("expected stages that learn something by themselves, received {} "
                                          "({}), which does not",
                                          name, stage->kind->name));
    }
    if (!(weight > 0.0 && std::isfinite(weight))) {
      fine_tune.fail("joint", fmt::format("expected finite weights > 0, received {} for {}", weight, name));
    }
    joint[name] = weight;
  }
  if (plan.protocol == Protocol::LayerwiseFrozen && !joint.empty()) {
    fine_tune.fail(
        "joint",
        "expected protocol = \"layerwise_fine_tune\" or \"supervised\", under which the head trains "
        "the stages, received \"layerwise_frozen\"");
  }
  return joint;
}

/// [head], [fine_tune] and the protocol.
void read_head(const Config& config, Plan& plan) {
  if (!config.has("head")) return;
  const std::string protocol = config.choice(
      "protocol", {"supervised", "layerwise_frozen", "layerwise_fine_tune"}, "layerwise_fine_tune");
  plan.protocol = protocol == "supervised"         ? Protocol::Supervised
                  : protocol == "layerwise_frozen" ? Protocol::LayerwiseFrozen
                                                   : Protocol::LayerwiseFineTune;
  const Config table = config.table("fine_tune");
  StagePlan head;
  head.name = kHead;
  head.kind = &read_kind(config.table("head"), Place::Head, "softmax");
  StageTables tables{.config = config,
                     .smoke = plan.smoke,
                     .plots = plan.stages.empty() ? std::vector<std::string>{} : plan.stages[0].plots_above};
  head.build = read_stage(*head.kind, tables);
  head.train.objective = tables.objective;
  head.learns_codes = tables.learns_codes && !plan.stages.empty();
  if (head.learns_codes && plan.protocol != Protocol::LayerwiseFrozen) {
    config.fail("protocol", fmt::format("expected \"layerwise_frozen\" under a head {}, which learns from "
                                        "the codes of stages that stay as they are, received \"{}\"",
                                        head.kind->name, protocol));
  }
  head.plots = read_plots(config.table("head"), tables.plots);
  if (config.has("expect")) head.expected = read_expected(config.table("expect"));
  head.optimizer = read_optimizer(table.table("optimizer"));
  if (head.optimizer.kind == "none")
    table.table("optimizer")
        .fail("kind",
              "'none' leaves parameters as they are that the head should learn; take \"sgd\" or \"adam\"");
  read_train(Reader(table), plan.smoke, head.train);
  if (table.has("health")) head.train.health = read_health(table.table("health"));
  check_average(table, head);
  check_roll_backs(table, head);
  head.snapshots = read_snapshots(config.table("head"), head);
  head.joint = read_joint(table, plan);
  head.train.dtype = plan.stages.empty() ? Dtype::F32 : plan.stages.back().train.dtype;
  plan.head = std::move(head);
}

/// Images alone are distorted, for [T, features] would pass for one.
void check_augmentation(const Plan& plan, const Dataset& data) {
  if (plan.data.augment.is_none()) return;
  const Column& first = data.train.first();
  if (data.has_sequences || data.train.find("lengths") != nullptr || first.kind() == ColumnKind::Integers) {
    throw Error(fmt::format(
        "[plan] expected images for data.augment, received sequences, {} of shape {} of {}; leave it out",
        first.name(), to_string(first.shape()), plan.data.name));
  }
  image_shape(first.shape(), "plan");
}

}  // namespace

Plan read_plan(const Config& config, const std::string& default_file) {
  for (const char* table : {"sweep", "select"}) {
    if (config.has(table))
      config.fail(table,
                  "is of many runs; use basin sweep, or basin run with --single for one run of the file's "
                  "own settings");
  }
  Plan plan;
  plan.seed = static_cast<std::uint64_t>(Reader(config).count("seed", 0, 0, kMostSeed));
  plan.smoke = config.boolean("smoke", false);
  plan.data = read_data(config);
  read_stages(config, plan);
  read_head(config, plan);
  const Reader results(config.table("results"));
  if (config.has("init_from")) plan.init_from = config.text("init_from");
  plan.file = results.table().text("file", default_file);
  plan.checkpoint_seconds = results.within("checkpoint_seconds", 0.0, kInfinity, 15.0);
  if (config.has("compare")) (void)read_compare_options(config.table("compare"));  // for `basin compare`
  config.finish();
  plan.given = config.given();
  plan.resolved = config.resolved();
  return plan;
}

Dataset load_data(const Plan& plan, const std::string& expected_digest) {
  Index batch = 1;
  for (const StagePlan& stage : plan.stages) {
    if (!stage.learns_patches) batch = std::max(batch, stage.train.batch);
  }
  DatasetOptions options = plan.data.options;
  if (plan.smoke) {  // small enough for a test of every experiment file, with every part of the run still in
                     // it
    options.few_train = std::max<Index>({batch, plan.head ? plan.head->train.batch : 0, 400});
    options.few_test = 200;
    // A fifth of them may become validation samples.
    const Index apart = options.validation > 0.0 ? options.few_train / 4 : 0;
    options.train = std::min(options.train, options.few_train + apart);
    options.test = std::min(options.test, options.few_test);
  }
  Dataset data = load_dataset(plan.data.name, options);
  check_augmentation(plan, data);
  if (plan.data.test_use == TestUse::Never) data.test = {};
  const bool measures_stages = plan.protocol != Protocol::Supervised || !plan.head;
  const bool never = plan.data.test_use == TestUse::Never;
  if (never && data.validation.count == 0) {
    throw Error(
        "[plan] expected validation samples where data.test_use = \"never\", received none; set some apart "
        "by data.validation");
  }
  if (!never && data.test.count == 0 && measures_stages &&
      std::any_of(plan.stages.begin(), plan.stages.end(),
                  [](const auto& stage) { return !stage.is_fixed(); })) {
    throw Error(
        "[plan] expected test samples, on which stages are measured, received none; raise data.test_share, "
        "or name some by data.test_path or data.test_columns");
  }
  const auto check = [](const char* key, Index wanted, const char* what, Index count) {
    if (wanted <= count) return;
    throw Error(
        fmt::format("[plan] expected the {} samples of a batch, received {} {} samples; set {} to {} or less",
                    wanted, count, what, key, count));
  };
  check("train.batch", batch, "training", data.train.count);
  if (plan.head && data.labelled.labels() != nullptr)
    check("fine_tune.batch", plan.head->train.batch, "labelled", data.labelled.count);
  const std::string found = expected_digest.empty() ? "" : digest(data);
  if (found != expected_digest) {
    throw Error(fmt::format(
        "[results] expected data set {} as the run learned from it (SHA-256 {}), received other samples "
        "({}): its files, or how they are read, have changed; bring them back, or run it again with --force",
        plan.data.name, expected_digest.substr(0, 12), found.substr(0, 12)));
  }
  return data;
}

}  // namespace basin
