#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "results/files/unfinished.h"

namespace basin {

/// Replaces the file at `path` as a whole, or leaves it untouched: what is written goes to
/// "PATH.<random>.tmp" beside it, a new file that nobody has planted, with the mode of the file that it
/// replaces (of a link, of its target, which stays as it is); finish() makes the disk keep it (fsync), then
/// renames it. An unfinished one is removed with this object; what killed processes left of theirs is removed
/// by the next one for the same path.
///
/// All functions throw Error naming path and reason when the folder is missing, the disk is full, `path` is a
/// folder, a device or a link to what is not there, ...
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Its name until it is finished.
  const std::string& temporary() const { return name_->path(); }
  void write(std::string_view bytes);
  void finish();

 private:
  [[noreturn]] void fail(int reason) const;

  std::string path_;
  std::unique_ptr<Unfinished> name_;
  int file_ = -1;
};

/// The same in one call.
void write_atomically(const std::string& path, std::string_view bytes);

/// Throws Error where `path` is what no file replaces: to be asked before there is anything to write.
void expect_replaceable(const std::string& path);

/// Removes what killed processes left in a folder of their unfinished files, of all or of one target (its
/// name in the folder).
void remove_leftovers(const std::string& folder, std::string_view target = {});

/// The whole file. Throws Error when it is absent, a folder, or cannot be read.
std::string read_whole(const std::string& path);

}  // namespace basin
