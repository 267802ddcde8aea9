#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "results/files/file_lock.h"
#include "results/hdf5/store.h"
#include "training/experiment/plan.h"

namespace basin {

/// What to do with a results file that is there already.
enum class Existing {
  Resume,   // read it
  Replace,  // replace it if it holds the same experiment, complete
  Force     // replace whatever it is
};

/// The place of a run's results.
struct Output {
  std::optional<Store> resumed = std::nullopt;  // the contents to go on from
  std::shared_ptr<FileLock> lock;               // held for the run; none where the file system knows no locks
  std::map<std::string, Index> lengthened = {};  // stages that go on for longer: epochs they had before
  std::string replaced_data = {};  // of complete results that this run replaces: the digest of their samples
};

/// Makes the folder of `path`, tries to write there, and keeps others who claim it from it (by a lock
/// PATH.lock). Throws Error when the folder cannot be written or another process has it.
std::shared_ptr<FileLock> claim_output(const std::string& path, const Say& say);

/// Makes sure, before work starts, that results can go to `path`: claims it, and looks at what is there
/// already. Throws Error when it cannot be claimed or must not be replaced.
Output prepare_output(const std::string& path, const Plan& plan, Existing existing, const Say& say);

}  // namespace basin
