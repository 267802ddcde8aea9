#include "results/files/unfinished.h"

#include <cstdio>
#include <mutex>
#include <set>
#include <utility>

namespace basin {
namespace {

/// Of the whole process, because a signal ends the whole process.
struct Names {
  std::mutex mutex;
  std::multiset<std::string> paths;
};

Names& names() {
  static Names all;
  return all;
}

}  // namespace

Unfinished::Unfinished(std::string path) : path_(std::move(path)) {
  const std::lock_guard<std::mutex> lock(names().mutex);
  names().paths.insert(path_);
}

Unfinished::~Unfinished() {
  if (path_.empty()) return;
  std::remove(path_.c_str());
  finish();
}

void Unfinished::finish() {
  const std::lock_guard<std::mutex> lock(names().mutex);
  if (const auto found = names().paths.find(path_); found != names().paths.end()) names().paths.erase(found);
  path_.clear();
}

void remove_unfinished() {
  names().mutex.lock();  // and never unlocked
  // Backwards: what is in a folder before the folder.
  for (auto path = names().paths.rbegin(); path != names().paths.rend(); ++path) std::remove(path->c_str());
}

}  // namespace basin
