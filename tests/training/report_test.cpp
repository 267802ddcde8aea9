// Reports: what a page says of small runs, and the numbers that it is made of.
#include "training/report/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "support/contains.h"
#include "tensor/error.h"
#include "training/experiment/fine_tuning.h"
#include "training/experiment_fixture.h"
#include "training/report/expected_best.h"

namespace basin {
namespace {

using test::contains;

const char* const kDeep = R"(
seed = 3
protocol = "layerwise_fine_tune"
data = { name = "strokes", train = 200, test = 60 }
head = { kind = "softmax", plots = ["confusion"] }
fine_tune = { epochs = 3, batch = 20, optimizer = { kind = "adam", learning_rate = 5e-3 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 12 }
train = { epochs = 4, batch = 20 }
optimizer = { learning_rate = 0.1 }
evaluate = { ais = { chains = 10, temperatures = 20, burn_in = 10 } }
results = { snapshots = 2 }

[[stages]]
name = "second"
model = { kind = "rbm", hidden = 6 }
train = { epochs = 2, batch = 20 }
optimizer = { learning_rate = 0.1 }
evaluate = { log_likelihood = "none" }
)";

class Report : public test::ExperimentFolder {
 protected:
  RunResult run(const std::string& name, const std::vector<std::string>& settings = {},
                const RunHooks& hooks = {}) const {
    return run_experiment(test::plan_of_text(kDeep, settings), options(name), hooks);
  }
  std::string page_of(const std::vector<std::string>& names, const ReportOptions& how = {}) const {
    std::vector<std::string> files;
    for (const std::string& name : names) files.push_back(file(name));
    return report(ReportedRun::load(files), how);
  }
};

TEST_F(Report, SaysWhatOneRunWasAndGave) {
  run("a.h5");
  const std::string html = page_of({"a.h5"});
  for (const char* section : {"What was run", "Numbers", "Curves", "Pictures", "Likelihood",
                              "What fine-tuning began with, and did", "Provenance"})
    EXPECT_TRUE(contains(html, std::string("\">") + section + "</h2>")) << section;
  EXPECT_FALSE(contains(html, "Selection by validation samples"));
  EXPECT_TRUE(contains(html, "<th>SHA-256 of the data</th>"));
  EXPECT_TRUE(contains(html, "head.weight")) << "how far it moved";
  EXPECT_TRUE(contains(html, "max=\"3\"")) << "epochs 0, 2, 4, and as evaluated";
  EXPECT_TRUE(contains(html, "confusion: ")) << "a picture of the head";
  EXPECT_FALSE(contains(html, "is not drawn")) << html.substr(html.find("is not drawn") - 40, 300);
  EXPECT_EQ(html, page_of({"a.h5"})) << "of the files alone";
  // No picture where none is asked for.
  EXPECT_FALSE(contains(page_of({"a.h5"}, {.pictured = 0}), "<img"));
}

TEST_F(Report, SetsRunsSideBySide) {
  run("a.h5");
  run("b.h5", {"seed=4"});
  run("c.h5", {"fine_tune.epochs=2"});
  const std::string html = page_of({"a.h5", "b.h5", "c.h5"}, {.by = "fine_tune.epochs", .pictured = 0});
  EXPECT_TRUE(contains(html, "<tr class=\"marked\"><th>fine_tune.epochs</th>"));
  EXPECT_TRUE(contains(html, "<tr class=\"marked\"><th>seed</th>"));
  EXPECT_FALSE(contains(html, "<tr class=\"marked\"><th>data.name</th>"));
  EXPECT_TRUE(contains(html, "test_error of 3 runs"));
  EXPECT_TRUE(contains(html, "a: test_error")) << "curves are told apart by file";
}

TEST_F(Report, RefusesWhatIsNotComplete) {
  RunHooks stop;
  stop.step = [](const FitReport& report) { return report.step < 3; };
  run("part.h5", {}, stop);
  try {
    page_of({"part.h5"});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.what(), "is not (training)")) << error.what();
  }
}

TEST_F(Report, SnapshotsChangeNothingElseAndSurviveInterruptions) {
  const Store with = run("with.h5").store;
  const Store without = run("without.h5", {"stages.first.results={}"}).store;
  const std::string weight = "/stages/head/parameters/first.v.h.weight";
  EXPECT_EQ(with.tensor(weight).values(), without.tensor(weight).values());
  EXPECT_FALSE(without.has("/stages/first/snapshots"));
  EXPECT_EQ(with.list("/stages/first/snapshots").size(), 3u);
  EXPECT_EQ(with.shape("/stages/first/snapshots/4"), (Shape{12, 28, 28}));
  // The last one is the weights as they are, unit by unit.
  const std::vector<double> shown = with.tensor("/stages/first/snapshots/4").values(),
                            kept = with.tensor("/stages/first/parameters/v.h.weight").values();
  for (std::size_t unit = 0; unit < 12; ++unit) {
    for (std::size_t pixel = 0; pixel < 784; ++pixel)
      ASSERT_EQ(shown[unit * 784 + pixel], kept[pixel * 12 + unit]) << unit << " " << pixel;
  }
  // Stopped in each training, and gone on with.
  Index steps = 0;
  RunHooks stop;
  stop.step = [&](const FitReport&) { return ++steps % 17 != 0; };
  RunOptions options = this->options("stopped.h5");
  options.resume = true;
  Index tries = 0;
  RunResult result;
  for (; !result.complete && tries < 10; ++tries)
    result = run_experiment(test::plan_of_text(kDeep), options, stop);
  EXPECT_GT(tries, 3);
  for (const char* group : {"/stages/first/snapshots", "/stages/head/fine_tune"}) {
    EXPECT_EQ(with.list(group), result.store.list(group));
    for (const std::string& path : with.list(group)) {
      if (path.ends_with("/layer") || path.ends_with("/parameter")) continue;
      EXPECT_EQ(with.tensor(path).values(), result.store.tensor(path).values()) << path;
    }
  }
}

TEST_F(Report, SnapshotsAreAHundredAtMost) {
  EXPECT_NO_THROW(test::plan_of_text(kDeep, {"stages.first.train.epochs=200"}));
  EXPECT_THROW(test::plan_of_text(kDeep, {"stages.first.train.epochs=203"}), Error);
  EXPECT_THROW(run("s.h5", {"protocol=supervised"}), Error) << "nothing is trained by itself";
  EXPECT_THROW(run("s.h5", {"head.snapshots=1"}), Error) << "a head on RBMs has no pictures of its own";
}

TEST_F(Report, DistancesAreThoseOfTheParameters) {
  const Store store = run("a.h5").store;
  const Store own = store.group("/stages/head/fine_tune");
  EXPECT_FALSE(own.has("/start"));
  const std::vector<std::string> names = own.texts("/parameter");
  const auto at = static_cast<std::size_t>(std::ranges::find(names, "first.v.h.weight") - names.begin());
  ASSERT_LT(at, names.size());
  const std::vector<double> before = store.tensor("/stages/first/parameters/v.h.weight").values(),
                            after = store.tensor("/stages/head/parameters/first.v.h.weight").values();
  double norm = 0.0, moved = 0.0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    norm += before[i] * before[i];
    moved += (after[i] - before[i]) * (after[i] - before[i]);
  }
  EXPECT_GT(moved, 0.0);
  EXPECT_NEAR(own.numbers("/norm")[at], std::sqrt(norm), 1e-4 * std::sqrt(norm));
  EXPECT_NEAR(own.numbers("/moved")[at], std::sqrt(moved), 1e-4 * std::sqrt(moved));
  EXPECT_EQ(own.texts("/layer"), (std::vector<std::string>{"first", "second"}));
  // Frozen layers do not move.
  const Store frozen = run("frozen.h5", {"protocol=layerwise_frozen"}).store.group("/stages/head/fine_tune");
  EXPECT_EQ(frozen.numbers("/moved")[at], 0.0);
}

TEST(LayerState, CountsTheEndsOfWhatUnitsCanSay) {
  const auto state = [](std::vector<double> codes) {  // of two samples
    const Index units = static_cast<Index>(codes.size()) / 2;
    return layer_state("", Tensor::from(codes, {2, units}, {Dtype::F64, test::device()}));
  };
  // Sigmoids: off, on, between; the first says the same of both.
  LayerState found = state({0.001, 0.995, 0.5, 0.004, 0.2, 0.7});
  EXPECT_DOUBLE_EQ(found.off, 2.0 / 6.0);
  EXPECT_DOUBLE_EQ(found.on, 1.0 / 6.0);
  EXPECT_DOUBLE_EQ(found.constant, 1.0 / 3.0);
  // Hyperbolic tangents: 0 is the middle.
  found = state({-0.999, 0.0, 0.995, 0.3});
  EXPECT_DOUBLE_EQ(found.off, 0.25);
  EXPECT_DOUBLE_EQ(found.on, 0.25);
  EXPECT_DOUBLE_EQ(found.constant, 0.0);
  // ReLUs have one end, linear units none.
  found = state({0.0, 3.0, 0.0, 1.0});
  EXPECT_DOUBLE_EQ(found.off, 0.5);
  EXPECT_TRUE(std::isnan(found.on));
  EXPECT_DOUBLE_EQ(found.constant, 0.5);
  found = state({-1.0, 3.0, 0.0, 1.0});
  EXPECT_TRUE(std::isnan(found.off) && std::isnan(found.on));
}

TEST(ExpectedBest, IsTheMeanOverAllOrders) {
  const std::vector<double> values = {0.3, 0.1, 0.7, 0.2, 0.2};
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> sums(values.size(), 0.0);
  double orders = 0.0;
  do {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < order.size(); ++k) sums[k] += best = std::min(best, values[order[k]]);
    ++orders;
  } while (std::ranges::next_permutation(order).found);
  const std::vector<double> found = expected_best(values, false);
  for (std::size_t k = 0; k < sums.size(); ++k) EXPECT_NEAR(found[k], sums[k] / orders, 1e-12) << k;
  EXPECT_EQ(expected_best({2.0, std::nan(""), 5.0}, true), (std::vector<double>{3.5, 5.0}));
  EXPECT_TRUE(expected_best({}, true).empty());
}

}  // namespace
}  // namespace basin
