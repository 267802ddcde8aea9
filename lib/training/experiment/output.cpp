#include "training/experiment/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "results/files/atomic_file.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/experiment/changes.h"

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
  Changes changes = changes_between(resolved, plan.resolved);
  if (!changes.other.empty()) {
    throw Error(fmt::format("[results] {} holds another experiment ({}); {}", path, changes.other,
                            resume ? "resume with the settings and seed it was begun with"
                                   : "name another file with --out, or add --force to replace it"));
  }
  if (!resume && !changes.lengthened.empty()) {
    const auto& [stage, epochs] = *changes.lengthened.begin();
    throw Error(
        fmt::format("[results] {} holds the same experiment with {} epochs of {}; add --resume to go "
                    "on from there, or --force to begin anew",
                    path, epochs, stage));
  }
  if (!resume && store->text("/experiment/status") != "complete") {
    throw Error(
        fmt::format("[results] {} holds a checkpoint of this run: add --resume to go on from it, or --force "
                    "to begin anew",
                    path));
  }
  if (!resume) {
    if (store->has("/experiment/data")) output.replaced_data = store->text("/experiment/data");
    return output;
  }
  lengthen(*store, plan, changes.lengthened, path);
  output.resumed = std::move(store);
  output.lengthened = std::move(changes.lengthened);
  return output;
}

}  // namespace basin
