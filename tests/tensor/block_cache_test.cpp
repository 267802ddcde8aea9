#include "tensor/cpu/products/block_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace basin {
namespace {

TEST(BlockCache, GivesBackBlocksOfTheSameSizeOnly) {
  BlockCache cache(1024);
  void* block = std::malloc(256);
  EXPECT_EQ(cache.take(256), nullptr);
  ASSERT_TRUE(cache.keep(block, 256));
  EXPECT_EQ(cache.take(128), nullptr);
  EXPECT_EQ(cache.take(256), block);
  EXPECT_EQ(cache.take(256), nullptr);
  std::free(block);
}

TEST(BlockCache, NeverKeepsMoreThanItsLimit) {
  BlockCache cache(512);
  void* large = std::malloc(1024);
  EXPECT_FALSE(cache.keep(large, 1024));
  std::free(large);
  ASSERT_TRUE(cache.keep(std::malloc(256), 256));
  ASSERT_TRUE(cache.keep(std::malloc(256), 256));
  void* last = std::malloc(384);
  ASSERT_TRUE(cache.keep(last, 384));  // the older two make room
  EXPECT_EQ(cache.take(256), nullptr);
  EXPECT_EQ(cache.take(384), last);
  std::free(last);
}

}  // namespace
}  // namespace basin
