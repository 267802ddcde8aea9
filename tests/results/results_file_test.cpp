#include "results/results_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "results/folder.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;

Store version(std::int64_t number) {
  Store store;
  store.attribute("", "format", std::string("basin results"));
  store.attribute("", "format_version", number);
  return store;
}

std::string refusal(const Store& store) {
  const Folder folder;
  store.save(folder / "a.h5");
  try {
    load_results(folder / "a.h5");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ResultsFile, VersionOneIsGivenTodaysLayout) {
  const Folder folder;
  Store old = version(1);
  old.put("/parameters/v.bias", std::vector<double>{1, 2});
  old.put("/metrics/epoch/loss", std::vector<double>{3});
  old.attribute("/metrics/epoch/loss", "unit", std::string("nats"));
  old.put("/evaluation/exact/test_log_likelihood", std::vector<double>{-4});
  old.put_text("/experiment/kind", "rbm");
  old.put_text("/experiment/objective", "cd-1");
  old.put_texts("/experiment/rules", {"bipartite"});
  old.put("/experiment/sample_shape", std::vector<std::int64_t>{2});
  old.put("/experiment/seed", std::vector<std::int64_t>{7});
  old.put("/time/train_seconds", std::vector<double>{5});
  old.save(folder / "old.h5");
  const Store store = load_results(folder / "old.h5");
  EXPECT_EQ(format_version(store), 1);
  EXPECT_EQ(stage_names(store), std::vector<std::string>{kOnlyStage});
  const Store stage = store.group(stage_group(kOnlyStage));
  EXPECT_EQ(stage.list(),
            (std::vector<std::string>{"/evaluation/exact/test_log_likelihood", "/kind", "/metrics/epoch/loss",
                                      "/objective", "/parameters/v.bias", "/rules", "/sample_shape"}));
  EXPECT_EQ(stage.numbers("/parameters/v.bias"), (std::vector<double>{1, 2}));
  EXPECT_EQ(std::get<std::string>(stage.attribute("/metrics/epoch/loss", "unit")), "nats");
  EXPECT_EQ(stage.text("/kind"), "rbm");
  EXPECT_EQ(store.integers("/experiment/seed").at(0), 7);
  EXPECT_EQ(store.numbers("/time/train_seconds").at(0), 5.0);
  EXPECT_FALSE(store.has("/parameters") || store.has("/experiment/kind") || store.has("/metrics"));
}

TEST(ResultsFile, VersionsThatAreNotKnownAreRefused) {
  EXPECT_EQ(refusal(version(kFormatVersion)), "");
  EXPECT_NE(refusal(version(kFormatVersion + 1)).find("a newer basin wrote it"), std::string::npos);
  EXPECT_NE(refusal(version(0)).find("received 0"), std::string::npos);
  EXPECT_NE(refusal(Store()).find("another HDF5 file"), std::string::npos);
}

}  // namespace
}  // namespace basin
