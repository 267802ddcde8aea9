#include "results/compare.h"

#include <gtest/gtest.h>

#include <limits>

namespace basin {
namespace {

Store filled() {
  Store store;
  store.put("/a/x", std::vector<double>{1.0, std::numeric_limits<double>::quiet_NaN()});
  store.put("/a/n", std::vector<std::int64_t>{1, 2});
  store.put("/a/t", Tensor::full({2, 2}, 0.5));
  store.put_text("/a/s", "text");
  store.put_texts("/a/l", {"one", "two"});
  store.put("/time/seconds", std::vector<double>{1.0});
  return store;
}

TEST(Compare, EqualStoresDifferInNothing) { EXPECT_TRUE(differences(filled(), filled()).empty()); }

TEST(Compare, IgnoresTheGroupsNamed) {
  Store other = filled();
  other.put("/time/seconds", std::vector<double>{2.0});
  EXPECT_TRUE(differences(filled(), other).empty());
  EXPECT_EQ(differences(filled(), other, {}).size(), 1u);
}

TEST(Compare, FindsEveryKindOfDifference) {
  const auto changed = [](auto change) {
    Store other = filled();
    change(other);
    return differences(filled(), other).size();
  };
  EXPECT_EQ(changed([](Store& s) { s.put("/a/x", std::vector<double>{1.0, 0.0}); }), 1u);
  EXPECT_EQ(changed([](Store& s) {
              s.put("/a/x", std::vector<double>{-1.0, std::numeric_limits<double>::quiet_NaN()});
            }),
            1u);
  EXPECT_EQ(changed([](Store& s) { s.put("/a/n", std::vector<std::int64_t>{1, 3}); }), 1u);
  EXPECT_EQ(changed([](Store& s) { s.put("/a/n", std::vector<double>{1, 2}); }), 1u);
  EXPECT_EQ(changed([](Store& s) { s.put("/a/t", Tensor::full({4}, 0.5)); }), 1u);
  EXPECT_EQ(changed([](Store& s) {
              s.put("/a/t", Tensor::full({2, 2}, 0.5, {Dtype::F64, Device::Cpu}));
            }),
            1u);
  EXPECT_EQ(changed([](Store& s) { s.put_text("/a/s", "Text"); }), 1u);
  EXPECT_EQ(changed([](Store& s) { s.put_texts("/a/l", {"one"}); }), 1u);
  EXPECT_EQ(changed([](Store& s) { s.remove("/a/l"); }), 1u);
  EXPECT_EQ(changed([](Store& s) { s.put_text("/b", "more"); }), 1u);
}

TEST(Compare, AScalarEqualsAListOfOne) {
  Store scalar, list;
  scalar.put_integer("/seed", 3);
  list.put("/seed", std::vector<std::int64_t>{3});
  EXPECT_TRUE(differences(scalar, list).empty());
  list.put("/seed", std::vector<std::int64_t>{4});
  EXPECT_EQ(differences(scalar, list).size(), 1u);
}

TEST(Compare, MinusZeroIsNotZero) {
  Store plus, minus;
  plus.put("/x", std::vector<double>{0.0});
  minus.put("/x", std::vector<double>{-0.0});
  EXPECT_EQ(differences(plus, minus).size(), 1u);
}

}  // namespace
}  // namespace basin
