#pragma once

#include <functional>
#include <memory>
#include <string>

namespace basin {

/// A folder of files that can be made again: what a run would make if it had to. Each FILE has its SHA-256
/// beside it in FILE.sha256 (sha256sum -c checks it). No trouble with the folder stops a run: it is said, and
/// the run goes on without.
class Cache {
 public:
  /// "": no cache. What killed processes left there (locks, unfinished files) is removed.
  explicit Cache(std::string folder, std::function<void(const std::string& line)> say = {});

  bool enabled() const { return !folder_.empty(); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  /// Whether the file is there and whole. One that is damaged is said and removed.
  bool holds(const std::string& name) const;
  /// Lets `write` make the file at a path, and notes its digest: false when that fails, which is said; there
  /// is then no cache any more.
  bool keep(const std::string& name, const std::function<void(const std::string& path)>& write);
  /// Keeps other processes from making what this one makes; lives until the result is destroyed, or the
  /// process killed. Says so and waits where another process has it. `what` is for people: "stage first".
  std::shared_ptr<void> lock(const std::string& name, const std::string& what);

 private:
  void give_up(const std::string& reason);
  void say(const std::string& line) const { say_ ? say_(line) : void(); }

  std::string folder_;
  std::function<void(const std::string& line)> say_;
};

}  // namespace basin
