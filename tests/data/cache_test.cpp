#include "data/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "results/files/atomic_file.h"
#include "tensor/error.h"

namespace basin {
namespace {

class CacheTest : public testing::Test {
 protected:
  CacheTest()
      : folder_((std::filesystem::temp_directory_path() / ("basin-cache-test-" + std::to_string(getpid())))
                    .string()) {}
  ~CacheTest() override { std::filesystem::remove_all(folder_); }

  Cache cache() {
    return Cache(folder_, [this](const std::string& line) { said_.push_back(line); });
  }
  bool said(const std::string& part) const {
    for (const std::string& line : said_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  std::string folder_;
  std::vector<std::string> said_;
};

void write_word(const std::string& path) { write_atomically(path, "word"); }

TEST_F(CacheTest, HoldsWhatItKeptUntilItIsDamaged) {
  Cache one = cache();
  EXPECT_FALSE(one.holds("a.h5"));
  EXPECT_TRUE(one.keep("a.h5", write_word));
  EXPECT_TRUE(cache().holds("a.h5"));
  EXPECT_EQ(read_whole(one.path("a.h5")), "word");
  EXPECT_TRUE(said_.empty());
  write_atomically(one.path("a.h5"), "ward");
  EXPECT_FALSE(cache().holds("a.h5"));
  EXPECT_TRUE(said("damaged"));
  EXPECT_FALSE(std::filesystem::exists(one.path("a.h5")));
  write_atomically(one.path("b.h5"), "word");  // a kill came before the digest
  EXPECT_FALSE(cache().holds("b.h5"));
}

TEST_F(CacheTest, ARunGoesOnWithoutAFolderThatCannotBeWritten) {
  write_atomically(folder_, "a file where the folder should be");
  Cache none = cache();
  EXPECT_FALSE(none.keep("a.h5", write_word));
  EXPECT_TRUE(said("goes on without it"));
  EXPECT_FALSE(none.enabled());
  said_.clear();
  EXPECT_EQ(cache().lock("a.lock", "stage first"), nullptr);
  EXPECT_TRUE(said("goes on without it"));
  EXPECT_FALSE(Cache("").keep("a.h5", write_word));
  EXPECT_FALSE(Cache("").holds("a.h5"));
}

TEST_F(CacheTest, AFailedWriteLeavesNothing) {
  Cache one = cache();
  EXPECT_FALSE(one.keep("a.h5", [](const std::string& path) {
    write_word(path);
    throw Error("the disk is full");
  }));
  EXPECT_TRUE(said("the disk is full"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(CacheTest, OneAtATimeHasTheLock) {
  std::atomic<int> inside = 0, most = 0;
  const auto work = [&] {
    Cache own(folder_);
    for (int i = 0; i < 5; ++i) {
      const std::shared_ptr<void> lock = own.lock("a.lock", "stage first");
      most = std::max<int>(most, ++inside);
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      --inside;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(CacheTest, APipeInThePlaceOfAFileIsNotWaitedFor) {
  Cache one = cache();
  EXPECT_TRUE(one.keep("a.h5", write_word));
  std::filesystem::remove(one.path("a.h5"));
  ASSERT_EQ(mkfifo(one.path("a.h5").c_str(), 0600), 0);
  EXPECT_FALSE(cache().holds("a.h5"));
  EXPECT_TRUE(said("made again"));
  EXPECT_TRUE(one.keep("a.h5", write_word));
  EXPECT_TRUE(cache().holds("a.h5"));
}

TEST_F(CacheTest, WhatKilledProcessesLeftGoesAndNothingElse) {
  Cache one = cache();
  EXPECT_TRUE(one.keep("a.h5", write_word));
  const std::shared_ptr<void> held = one.lock("held.lock", "stage first");
  const AtomicFile open(one.path("open.h5"));
  for (const char* left : {"k.lock", "k.h5.0123456789abcdef.tmp", "k.train.h5.fedcba9876543210.tmp"})
    std::ofstream(one.path(left)) << "half";
  std::ofstream(one.path("notes.tmp")) << "not ours";
  cache();
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  const std::string unfinished = std::filesystem::path(open.temporary()).filename().string();
  EXPECT_EQ(names, (std::vector<std::string>{"a.h5", "a.h5.sha256", "held.lock", "notes.tmp", unfinished}));
}

TEST_F(CacheTest, WaitingIsSaid) {
  std::shared_ptr<void> lock = cache().lock("a.lock", "stage first");
  std::atomic<bool> waits = false;
  std::thread other([&] {
    Cache two(folder_, [&](const std::string& line) {
      waits = line == "waiting for process " + std::to_string(getpid()) + " that makes stage first";
    });
    EXPECT_NE(two.lock("a.lock", "stage first"), nullptr);
  });
  while (!waits) std::this_thread::yield();
  lock.reset();
  other.join();
}

}  // namespace
}  // namespace basin
