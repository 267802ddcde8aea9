#include "training/experiment/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "results/files/atomic_file.h"
#include "results/results_file.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

void make_writable(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(fmt::format("[results] cannot make folder {}: {}; name another with --out", folder.string(),
                            error.message()));
  }
  std::string probe = (folder / ".basin-XXXXXX").string();
  const int file = mkstemp(probe.data());
  if (file < 0) {
    throw Error(fmt::format("[results] cannot write in folder {}: {}; name another with --out",
                            folder.string(), std::strerror(errno)));
  }
  close(file);
  unlink(probe.c_str());
}

/// Nobody else writes to `path` while this lives.
std::shared_ptr<FileLock> lock(const std::string& path, const Say& say) {
  std::shared_ptr<FileLock> held;
  try {
    held = FileLock::take(path + ".lock", [] { return false; });
  } catch (const Error& error) {
    if (say) say(fmt::format("warning: {}: start no second run that writes to {}", error.what(), path));
    return nullptr;
  }
  if (held == nullptr) {
    throw Error(
        fmt::format("[results] {} is being written by another run; wait for its end, or name another "
                    "file with --out",
                    path));
  }
  return held;
}

/// The first line in which two texts differ, for a message.
std::string first_difference(const std::string& theirs, const std::string& ours) {
  std::istringstream a(theirs), b(ours);
  std::string line_a, line_b;
  while (true) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) {
      return "no difference";
    }
    if (!more_a || !more_b || line_a != line_b) {
      return fmt::format("'{}' there, '{}' now", more_a ? line_a : "", more_b ? line_b : "");
    }
  }
}

}  // namespace

std::shared_ptr<FileLock> claim_output(const std::string& path, const Say& say) {
  const fs::path target(path);
  make_writable(target.has_parent_path() ? target.parent_path() : fs::path("."));
  return lock(path, say);
}

Output prepare_output(const std::string& path, const Plan& plan, Existing existing, const Say& say) {
  const fs::path target(path);
  if (target.filename().empty() || fs::is_directory(target)) {
    throw Error(fmt::format("[results] expected the name of a file, received folder {}", path));
  }
  expect_replaceable(path);
  Output output{.lock = claim_output(path, say)};
  if (!fs::exists(target) || existing == Existing::Force) {
    return output;
  }
  const bool resume = existing == Existing::Resume;
  std::optional<Store> store;
  std::string resolved;
  try {
    store = load_results(path);
    resolved = store->text("/experiment/resolved");
  } catch (const Error& error) {
    throw Error(fmt::format(
        "[results] {} is there and cannot be {}: {}; name another with --out, or add --force to replace it",
        path, resume ? "resumed" : "recognised", error.what()));
  }
  if (resume && format_version(*store) != kFormatVersion) {
    throw Error(
        fmt::format("[results] {} is of an older basin (format version {}): it can be looked at, not "
                    "resumed; run it again with --force",
                    path, format_version(*store)));
  }
  if (resolved != plan.resolved) {
    throw Error(fmt::format("[results] {} holds another experiment ({}); {}", path,
                            first_difference(resolved, plan.resolved),
                            resume ? "resume with the settings and seed it was begun with"
                                   : "name another file with --out, or add --force to replace it"));
  }
  if (!resume && store->text("/experiment/status") != "complete") {
    throw Error(
        fmt::format("[results] {} holds a checkpoint of this run: add --resume to go on from it, or --force "
                    "to begin anew",
                    path));
  }
  if (resume) output.resumed = std::move(store);
  return output;
}

}  // namespace basin
