#pragma once

#include <optional>
#include <string>

#include "results/store.h"
#include "training/experiment/plan.h"

namespace basin {

/// What to do with a results file that is there already.
enum class Existing {
  Resume,   // read it
  Replace,  // replace it if it holds the same experiment
  Force     // replace whatever it is
};

/// Makes sure, before work starts, that results can go to `path`: makes its folder, tries to write there, and
/// looks at what is there already; removes temporary files that killed runs left. Returns the contents to go
/// on from, if any. Throws Error when the folder cannot be written or the file must not be replaced.
std::optional<Store> prepare_output(const std::string& path, const Plan& plan, Existing existing);

}  // namespace basin
