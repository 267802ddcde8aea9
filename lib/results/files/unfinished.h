#pragma once

#include <string>

namespace basin {

/// The name of a file, or of an empty folder, that goes when this object goes, unless it is finished:
/// temporary files and locks. It goes as well when somebody who is about to end the process calls
/// remove_unfinished().
class Unfinished {
 public:
  Unfinished() = default;
  explicit Unfinished(std::string path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::string& path() const { return path_; }
  /// The file has got its final name.
  void finish();

 private:
  std::string path_;
};

/// Removes all unfinished files of this process. To be called right before the process ends, from any thread:
/// whoever wants to begin or finish a file after it waits for that end.
void remove_unfinished();

}  // namespace basin
