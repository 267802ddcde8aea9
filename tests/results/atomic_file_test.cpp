#include "results/files/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "results/files/file_lock.h"
#include "results/folder.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;
namespace fs = std::filesystem;

/// Runs `act` in a process of its own that then ends at once, without clearing up.
template <class Act>
void in_another_process(Act act) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, KeepsTheModeOfWhatItReplaces) {
  const Folder folder;
  const mode_t before = umask(022);
  write_atomically(folder / "a", "one");
  EXPECT_EQ(mode_of(folder / "a"), 0644u);
  for (const mode_t mode : {0600u, 0664u, 0444u}) {
    chmod((folder / "a").c_str(), mode);
    write_atomically(folder / "a", "two");
    EXPECT_EQ(mode_of(folder / "a"), mode);
  }
  umask(before);
  EXPECT_EQ(folder.read("a"), "two");
}

TEST(AtomicFile, FollowsNoPlantedLink) {
  const Folder folder;
  folder.write("victim", "precious");
  // The name that earlier versions gave their temporary files, and that of the file itself.
  const std::string guessed = folder / ("a." + std::to_string(getpid()) + ".tmp");
  fs::create_symlink(folder / "victim", guessed);
  fs::create_symlink(folder / "victim", folder / "a");
  write_atomically(folder / "a", "numbers");
  EXPECT_EQ(folder.read("victim"), "precious");
  EXPECT_EQ(folder.read("a"), "numbers");
  EXPECT_FALSE(fs::is_symlink(folder / "a"));
  fs::create_symlink(folder / "victim", folder / "a.lock");
  EXPECT_THROW(FileLock::take(folder / "a.lock", [] { return false; }), Error);
}

TEST(AtomicFile, ALinkToNothingIsRefused) {
  const Folder folder;
  fs::create_symlink(folder / "elsewhere", folder / "a");
  try {
    write_atomically(folder / "a", "numbers");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a link to what is not there"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(fs::is_symlink(folder / "a"));
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, RemovesWhatKilledWritersLeftAndNothingElse) {
  const Folder folder;
  in_another_process([&] {
    auto* file = new AtomicFile(folder / "a");  // never destroyed
    file->write("half");
  });
  ASSERT_EQ(folder.names().size(), 1u);
  folder.write("a.4194300.tmp", "of an earlier version");
  for (const char* name : {"a.notes.tmp", "a.tmp", "ab.0123456789abcdef.tmp", "a.0123456789abcde.tmp"})
    folder.write(name, "not ours");
  const AtomicFile other(folder / "a");  // being written
  write_atomically(folder / "a", "whole");
  const std::string open = fs::path(other.temporary()).filename().string();
  std::vector<std::string> expected = {"a",           open,    "a.0123456789abcde.tmp",
                                       "a.notes.tmp", "a.tmp", "ab.0123456789abcdef.tmp"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(folder.names(), expected);
}

TEST(AtomicFile, UnfinishedOnesGoWithTheirObjectOrTheProcess) {
  const Folder folder;
  folder.write("a", "before");
  { AtomicFile(folder / "a").write("after"); }
  in_another_process([&] {
    fs::create_directory(folder / "inner");
    new Unfinished(folder / "inner");
    new AtomicFile(folder / "a");
    new AtomicFile(folder / "inner/b");
    new std::shared_ptr<FileLock>(FileLock::take(folder / "a.lock", [] { return false; }));
    remove_unfinished();
  });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
  EXPECT_EQ(folder.read("a"), "before");
}

TEST(FileLock, IsHeldByOneAtATimeAndGoesWithIt) {
  const Folder folder;
  const std::string path = folder / "a.lock";
  const auto give_up = [] { return false; };
  {
    const auto held = FileLock::take(path, give_up);
    ASSERT_NE(held, nullptr);
    EXPECT_EQ(FileLock::take(path, give_up), nullptr);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.lock"});
  }
  EXPECT_TRUE(folder.names().empty());
  in_another_process([&] { new std::shared_ptr<FileLock>(FileLock::take(path, give_up)); });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.lock"});  // of a killed process
  EXPECT_NE(FileLock::take(path, give_up), nullptr);
  EXPECT_TRUE(folder.names().empty());
  EXPECT_THROW(FileLock::take(folder / "no/such.lock", give_up), Error);
}

}  // namespace
}  // namespace basin
