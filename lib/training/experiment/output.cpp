#include "training/experiment/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>

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

/// Removes "PATH.<process>.tmp" of processes that are no more: what a kill in the middle of a write leaves.
void remove_leftovers(const fs::path& target, const fs::path& folder) {
  const std::string stem = target.filename().string() + ".", end = ".tmp";
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= stem.size() + end.size() || !name.starts_with(stem) || !name.ends_with(end)) {
      continue;
    }
    const std::string process = name.substr(stem.size(), name.size() - stem.size() - end.size());
    const bool number = process.find_first_not_of("0123456789") == std::string::npos;
    if (number && kill(static_cast<pid_t>(std::atol(process.c_str())), 0) != 0 && errno == ESRCH) {
      fs::remove(entry.path(), ignored);
    }
  }
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

std::optional<Store> prepare_output(const std::string& path, const Plan& plan, Existing existing) {
  const fs::path target(path);
  if (target.filename().empty() || fs::is_directory(target)) {
    throw Error(fmt::format("[results] expected the name of a file, received folder {}", path));
  }
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  make_writable(folder);
  remove_leftovers(target, folder);
  if (!fs::exists(target) || existing == Existing::Force) {
    return std::nullopt;
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
  return resume ? store : std::nullopt;
}

}  // namespace basin
