#include "results/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tensor/error.h"

namespace basin {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  bool close() {
    const int number = number_;
    number_ = -1;
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

/// Writes all of it; false, with errno, when it cannot.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written < 0 ? 0 : written));
  }
  return true;
}

bool write_file(const std::string& path, std::string_view bytes) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  return file.number() >= 0 && write_all(file.number(), bytes) && ::fsync(file.number()) == 0 && file.close();
}

/// Makes the rename itself outlive a power cut. Some file systems cannot; the file is complete either way.
void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder.string(), O_RDONLY | O_DIRECTORY);
  if (descriptor.number() >= 0) {
    ::fsync(descriptor.number());
  }
}

}  // namespace

void write_atomically(const std::string& path, std::string_view bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(fmt::format("[write] expected the name of a file, received '{}', which is a {}", path,
                            S_ISDIR(status.st_mode) ? "folder" : "device"));
  }
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  if (!write_file(temporary, bytes) || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw Error(fmt::format("[write] cannot write '{}' ({} bytes): {}; what was there before is unchanged",
                            path, bytes.size(), std::strerror(reason)));
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  sync_folder(folder.empty() ? "." : folder);
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
