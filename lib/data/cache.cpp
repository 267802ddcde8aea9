#include "data/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>

#include "results/sha256.h"
#include "results/atomic_file.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

/// What sha256sum writes: the digest, two spaces, the file's name.
std::string line_of(const std::string& digest, const std::string& name) {
  return fmt::format("{}  {}\n", digest, name);
}

/// An open file that is locked; unlocked and removed when it goes.
struct Lock {
  std::string path;
  int file = -1;
  ~Lock() {
    if (file < 0) return;
    ::unlink(path.c_str());  // before others can have it: they notice and make another
    ::close(file);
  }
};

/// Whether the name still stands for the open file.
bool is_same(int file, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
}

}  // namespace

bool Cache::holds(const std::string& name) const {
  const std::string file = path(name);
  std::error_code ignored;
  if (!enabled() || !fs::exists(file, ignored) || !fs::exists(file + ".sha256", ignored)) return false;
  try {
    if (read_whole(file + ".sha256") == line_of(sha256_file(file), name)) return true;
    say(fmt::format("{} is damaged: it is made again", file));
  } catch (const Error& error) {
    say(fmt::format("{} cannot be used ({}): it is made again", file, error.what()));
  }
  fs::remove(file + ".sha256", ignored);
  fs::remove(file, ignored);
  return false;
}

bool Cache::keep(const std::string& name, const std::function<void(const std::string& path)>& write) {
  if (!enabled()) return false;
  const std::string file = path(name);
  try {
    fs::create_directories(folder_);
    write(file);
    write_atomically(file + ".sha256", line_of(sha256_file(file), name));
    return true;
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove(file, ignored);
    give_up(error.what());
    return false;
  }
}

std::shared_ptr<void> Cache::lock(const std::string& name, const std::string& what) {
  if (!enabled()) return nullptr;
  std::error_code error;
  fs::create_directories(folder_, error);
  auto lock = std::make_shared<Lock>();
  lock->path = path(name);
  while (true) {
    const int file = ::open(lock->path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
      give_up(std::strerror(errno));
      return nullptr;
    }
    int got = ::flock(file, LOCK_EX | LOCK_NB);
    if (got != 0 && errno == EWOULDBLOCK) {
      say(fmt::format("waiting for another process that makes {}", what));
      got = ::flock(file, LOCK_EX);
    }
    if (got == 0 && is_same(file, lock->path)) {
      lock->file = file;
      return lock;
    }
    const bool removed =
        got == 0;  // by the process that had it: its name stands for nothing, or another file
    const int reason = errno;
    ::close(file);
    if (!removed) {
      give_up(std::strerror(reason));
      return nullptr;
    }
  }
}

void Cache::give_up(const std::string& reason) {
  say(fmt::format("the cache {} cannot be used ({}): the run goes on without it", folder_, reason));
  folder_.clear();
}

}  // namespace basin
