#include "data/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include "data/http_get.h"
#include "results/files/file_lock.h"
#include "results/files/sha256.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

std::string advice(const RemoteFile& file, const std::string& folder) {
  return fmt::format(
      "without a network, put {} into {} by hand, or set BASIN_DATA to the folder that holds it", file.name,
      folder);
}

/// FILE.part, locked against a second basin that downloads the same file.
class PartFile {
 public:
  explicit PartFile(std::string path)
      : path_(std::move(path)),
        descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0)
      throw Error(fmt::format("[fetch] {}: cannot be written: {}; set BASIN_DATA to a folder that can", path_,
                              reason()));
    struct stat opened {};
    if (::fstat(descriptor_, &opened) != 0 || !S_ISREG(opened.st_mode) || opened.st_nlink > 1) {
      ::close(descriptor_);
      throw Error(fmt::format(
          "[fetch] {}: expected a partial download of this file, received something else; remove it", path_));
    }
    // If its name is another's by now, it was renamed under our eyes.
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 || !is_name_of(path_, descriptor_)) {
      const Error busy(fmt::format(
          "[fetch] {}: another program is downloading it; wait for it to end and try again", path_));
      ::close(descriptor_);
      throw busy;
    }
    const off_t end = ::lseek(descriptor_, 0, SEEK_END);
    size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    if (size_ == 0) ::unlink(path_.c_str());  // nothing to continue; no-op after `finish`
    ::close(descriptor_);
  }

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  void append(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0)
        throw Error(
            fmt::format("[fetch] {}: cannot be written: {}; what came so far is kept", path_, reason()));
      size_ += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void clear() {
    if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) {
      throw Error(fmt::format("[fetch] {}: cannot be written: {}", path_, reason()));
    }
    size_ = 0;
  }

  /// Gives the file its final name once its bytes are on the disk.
  void finish(const std::string& final_path) {
    if (::fsync(descriptor_) != 0 || ::rename(path_.c_str(), final_path.c_str()) != 0) {
      throw Error(fmt::format("[fetch] {}: cannot be written: {}", final_path, reason()));
    }
    const int folder = ::open(fs::path(final_path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {  // the rename outlives a power cut once the folder is on the disk too
      ::fsync(folder);
      ::close(folder);
    }
  }

 private:
  static std::string reason() { return std::strerror(errno); }

  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

/// One address, continued as long as each attempt brings something. Returns what went wrong, "" when the file
/// is complete and right.
std::string download(const RemoteFile& file, const std::string& url, PartFile& part,
                     const FetchOptions& options) {
  std::string problem;
  for (int attempt = 0; attempt < options.attempts; ++attempt) {
    const std::uint64_t before = part.size();
    if (part.size() < file.bytes) {
      HttpGet get;
      get.url = url;
      get.from = part.size();
      get.connect_seconds = options.connect_seconds;
      get.stalled_seconds = options.stalled_seconds;
      get.restart = [&] { part.clear(); };
      get.receive = [&](std::span<const char> bytes) {
        part.append(bytes);
        if (options.progress) options.progress(file, std::min(part.size(), file.bytes), file.bytes);
        return part.size() <= file.bytes;
      };
      get.cancelled = options.cancelled;
      problem = http_get(get);
      if (options.cancelled && options.cancelled()) {
        throw Error(fmt::format("[fetch] {}: stopped with {} of {} bytes; the same command continues",
                                file.name, part.size(), file.bytes));
      }
    }
    if (part.size() >= file.bytes) {
      const std::string digest = part.size() == file.bytes ? sha256_file(part.path()) : "";
      if (digest == file.sha256) return "";
      problem = digest.empty() ? fmt::format("more than the expected {} bytes came", file.bytes)
                               : fmt::format("its SHA-256 is {}, expected {}", digest, file.sha256);
      part.clear();
      if (before == 0)
        return problem;  // these bytes are the server's own; a wrong beginning of an earlier call gets one
                         // more chance
    } else if (part.size() == before) {
      return problem;
    } else if (problem.empty()) {
      problem = fmt::format("the transfer ended after {} of {} bytes", part.size(), file.bytes);
    }
  }
  return problem;
}

bool is_right(const RemoteFile& file, const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == file.bytes &&
         sha256_file(path.string()) == file.sha256;
}

}  // namespace

std::string fetch_file(const RemoteFile& file, const std::string& folder, const FetchOptions& options) {
  const fs::path target = fs::path(folder) / file.name;
  if (is_right(file, target)) return target.string();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(fmt::format("[fetch] {}: cannot be made: {}; set BASIN_DATA to a folder that can be written",
                            folder, error.message()));
  }
  PartFile part(target.string() + ".part");
  std::string problems;
  for (const std::string& url : file.urls) {
    const std::string problem = download(file, url, part, options);
    if (problem.empty()) {
      part.finish(target.string());
      return target.string();
    }
    problems += fmt::format("{}: {}; ", url, problem);
  }
  throw Error(
      fmt::format("[fetch] {} could not be downloaded: {}{}", file.name, problems, advice(file, folder)));
}

std::vector<std::string> fetch_entry(const CatalogEntry& entry, const FetchOptions& options) {
  if (entry.needs_path)
    throw Error(fmt::format("[fetch] '{}' are your own files; there is nothing to download", entry.name));
  if (entry.files.empty())
    throw Error(
        fmt::format("[fetch] '{}' is made by basin itself; there is nothing to download", entry.name));
  if (!is_downloadable(entry)) throw Error(fmt::format("[fetch] '{}': {}", entry.name, entry.by_hand));
  const std::string folder = (fs::path(data_folders().front()) / entry.folder).string();
  std::vector<std::string> paths;
  for (const RemoteFile& file : entry.files) {
    try {
      paths.push_back(verify_file(entry, file));  // wherever it lies
    } catch (const Error&) {
      paths.push_back(fetch_file(file, folder, options));
    }
  }
  return paths;
}

}  // namespace basin
