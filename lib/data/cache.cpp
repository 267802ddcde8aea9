#include "data/cache.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>

#include "results/files/atomic_file.h"
#include "results/files/file_lock.h"
#include "results/files/sha256.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

/// What sha256sum writes: the digest, two spaces, the file's name.
std::string line_of(const std::string& digest, const std::string& name) {
  return fmt::format("{}  {}\n", digest, name);
}

}  // namespace

Cache::Cache(std::string folder, std::function<void(const std::string& line)> say)
    : folder_(std::move(folder)), say_(std::move(say)) {
  if (!enabled()) return;
  remove_leftovers(folder_);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (entry.path().extension() != ".lock") continue;
    try {  // whoever has a lock removes it in the end
      FileLock::take(entry.path().string(), [] { return false; });
    } catch (const Error&) {  // it harms nobody
    }
  }
}

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
  } catch (const Error& error) {
    give_up(error.what());
  } catch (const fs::filesystem_error& error) {
    give_up(error.code().message());
  } catch (const std::bad_alloc&) {
    give_up("out of memory");
  }
  std::error_code ignored;
  fs::remove(file, ignored);
  return false;
}

std::shared_ptr<void> Cache::lock(const std::string& name, const std::string& what) {
  if (!enabled()) return nullptr;
  std::error_code error;
  fs::create_directories(folder_, error);
  try {
    return FileLock::take(path(name), [&] {
      const std::int64_t holder = FileLock::holder(path(name));
      say(fmt::format("waiting for {} that makes {}",
                      holder == 0 ? "another process" : fmt::format("process {}", holder), what));
      return true;
    });
  } catch (const Error& problem) {
    give_up(problem.what());
    return nullptr;
  }
}

void Cache::give_up(const std::string& reason) {
  say(fmt::format("the cache {} cannot be used ({}): the run goes on without it", folder_, reason));
  folder_.clear();
}

}  // namespace basin
