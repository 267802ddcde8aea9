#include "training/history.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/error.h"

namespace basin {
namespace {

TEST(History, PutsNaNWhereAMetricWasNotMeasured) {
  History history;
  history.record_epoch(1, {{"loss", 3.0}});
  history.record_epoch(2, {{"loss", 2.0}, {"late", 7.0}});
  history.record_epoch(3, {{"late", 8.0}});
  const auto& columns = history.epochs().columns;
  ASSERT_EQ(columns.at("loss").size(), 3u);
  ASSERT_EQ(columns.at("late").size(), 3u);
  EXPECT_TRUE(std::isnan(columns.at("late")[0]));
  EXPECT_EQ(columns.at("late")[1], 7.0);
  EXPECT_EQ(columns.at("loss")[1], 2.0);
  EXPECT_TRUE(std::isnan(columns.at("loss")[2]));
}

TEST(History, MeanTakesStepsAfterBeginUpToEnd) {
  History history;
  history.record_step(2, {{"loss", 100.0}});
  history.record_step(3, {{"loss", 1.0}});
  history.record_step(4, {{"loss", 2.0}});
  history.record_step(5, {{"loss", 1000.0}});
  EXPECT_EQ(history.mean(2, 4).at("loss"), 1.5);
  EXPECT_TRUE(history.mean(5, 9).empty());
}

TEST(History, MetricsDoNotTakeThePlaceOfWhatStepsAreCountedBy) {
  History history;
  EXPECT_THROW(history.record_step(1, {{"step", 0.1}}), Error);
  EXPECT_THROW(history.record_epoch(1, {{"epoch", 0.1}}), Error);
}

TEST(History, ComesBackFromAStore) {
  History history;
  history.record_step(1, {{"loss", 3.0}, {"reconstruction_error", 0.5}});
  history.record_epoch(1, {{"loss", 3.0}});
  Store store;
  history.write(store);
  EXPECT_EQ(std::get<std::string>(store.attribute("/metrics/step/loss", "unit")), "energy");
  history.set_unit("loss", "nats");
  history.write(store);
  EXPECT_EQ(std::get<std::string>(store.attribute("/metrics/step/loss", "unit")), "nats");
  const History again = History::read(store);
  EXPECT_EQ(again.steps().at, history.steps().at);
  EXPECT_EQ(again.steps().columns, history.steps().columns);
  EXPECT_EQ(again.epochs().columns, history.epochs().columns);
}

}  // namespace
}  // namespace basin
