#include "config/nearest.h"

#include <gtest/gtest.h>

namespace basin {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("hte", "the"), 1u) << "a swap of neighbours is one edit";
  EXPECT_EQ(edit_distance("ca", "abc"), 3u) << "no substring is edited twice";
  EXPECT_EQ(edit_distance("MNIST", "mnist"), 0u);
}

TEST(Nearest, FindsTheNearOneOnly) {
  const std::vector<std::string> known = {"steps", "epochs", "batch", "learning_rate", "k"};
  EXPECT_EQ(nearest("epocs", known), "epochs");
  EXPECT_EQ(nearest("epohcs", known), "epochs");
  EXPECT_EQ(nearest("learnig_rte", known), "learning_rate");
  EXPECT_EQ(nearest("momentum", known), "");
  EXPECT_EQ(nearest("x", known), "") << "one letter for another is no slip";
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest("steps", {}), "");
}

TEST(Nearest, Suggests) {
  EXPECT_EQ(suggestion("stpes", {"steps", "epochs"}), "did you mean 'steps'?");
  EXPECT_EQ(suggestion("momentum", {"steps", "epochs"}), "known: steps, epochs");
  EXPECT_EQ(suggestion("momentum", {}), "nothing is known here");
}

}  // namespace
}  // namespace basin
