#include "results/files/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "results/files/file_lock.h"
#include "tensor/error.h"

namespace basin {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

/// Makes the rename itself outlive a power cut. Some file systems cannot; the file is complete either way.
void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder.string(), O_RDONLY | O_DIRECTORY);
  if (descriptor.number() >= 0) {
    ::fsync(descriptor.number());
  }
}

std::filesystem::path folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

std::string temporary_name(const std::string& path) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    throw Error("[write] the system gives no random numbers to name a temporary file with");
  }
  return fmt::format("{}.{:016x}.tmp", path, number);
}

/// The file that a temporary one stands for, by its name; "" where it is none. Earlier versions had the
/// number of their process in it.
std::string_view target_of(std::string_view name) {
  constexpr std::string_view kEnd = ".tmp";
  if (!name.ends_with(kEnd)) return {};
  name.remove_suffix(kEnd.size());
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return {};
  const std::string_view number = name.substr(dot + 1);
  const bool is_one =
      number.find_first_not_of("0123456789") == std::string_view::npos ||
      (number.size() == 16 && number.find_first_not_of("0123456789abcdef") == std::string_view::npos);
  return is_one ? name.substr(0, dot) : std::string_view{};
}

void remove_if_left(const std::filesystem::path& temporary) {
  const Descriptor left(temporary.string(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (left.number() >= 0 && ::flock(left.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(temporary.c_str());
}

}  // namespace

void remove_leftovers(const std::string& folder, std::string_view target) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string_view own = target_of(name);
    if (!own.empty() && (target.empty() || own == target)) remove_if_left(entry.path());
  }
}

void expect_replaceable(const std::string& path) {
  struct stat named {
  }, meant{};
  if (::lstat(path.c_str(), &named) != 0) return;
  const bool is_there = ::stat(path.c_str(), &meant) == 0;
  if (S_ISLNK(named.st_mode) && !is_there) {
    throw Error(
        fmt::format("[write] expected the name of a file, received '{}', a link to what is not there; "
                    "make its target, or remove the link",
                    path));
  }
  if (is_there && !S_ISREG(meant.st_mode)) {
    throw Error(fmt::format("[write] expected the name of a file, received '{}', which is a {}", path,
                            S_ISDIR(meant.st_mode) ? "folder" : "device"));
  }
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  expect_replaceable(path_);
  struct stat before {};
  const bool replaces = ::stat(path_.c_str(), &before) == 0;
  remove_leftovers(folder_of(path_).string(), std::filesystem::path(path_).filename().string());
  while (file_ < 0) {
    const std::string name = temporary_name(path_);
    constexpr int kNew = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_ = ::open(name.c_str(), kNew, replaces ? 0600 : 0666);
    if (file_ < 0 && errno != EEXIST) fail(errno);
    if (file_ < 0) continue;
    name_ = std::make_unique<Unfinished>(name);
    // Locked, so that nobody takes it for a leftover; whoever did so before that has removed it.
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0 && !is_name_of(name, file_)) {
      ::close(file_);
      file_ = -1;
    }
  }
  if (replaces)
    static_cast<void>(::fchmod(file_, before.st_mode & 07777));  // some file systems know no modes
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
}

void AtomicFile::fail(int reason) const {
  throw Error(fmt::format("[write] cannot write '{}': {}; what was there before is unchanged", path_,
                          std::strerror(reason)));
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail(errno);
    bytes.remove_prefix(static_cast<std::size_t>(written < 0 ? 0 : written));
  }
}

void AtomicFile::finish() {
  if (::fsync(file_) != 0) fail(errno);
  if (std::rename(temporary().c_str(), path_.c_str()) != 0) fail(errno);
  name_->finish();
  ::close(file_);
  file_ = -1;
  sync_folder(folder_of(path_));
}

void write_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.finish();
}

std::string read_whole(const std::string& path) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // a pipe must not make us wait
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) {
    throw Error(fmt::format("[read] cannot read '{}': {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(fmt::format("[read] expected the name of a file, received '{}', which is none", path));
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.number(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      throw Error(fmt::format("[read] cannot read '{}': {}", path,
                              got < 0 ? std::strerror(errno) : "it became shorter meanwhile"));
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace basin
