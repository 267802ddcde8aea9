#pragma once

#include <map>
#include <string>

#include "results/hdf5/store.h"
#include "training/experiment/plan.h"

namespace basin {

/// What the experiment to run has that the one of a results file has not. What is expected of its numbers
/// ([expect]) may change at any time and is no difference.
struct Changes {
  std::map<std::string, Index> lengthened = {};  // stages with more epochs now: how many they had
  std::string other = {};                        // the first line in which they differ else; "": none
};

/// Of two experiments as their files resolve them.
Changes changes_between(const std::string& theirs, const std::string& ours);

/// Makes the results of a run those of a longer one that is not complete yet, and notes it in
/// /experiment/lengthened. Stages that were not begun need nothing. Throws Error, with `path` for the file,
/// where others were trained on what the stage gave, or where its last parameters were not kept.
void lengthen(Store& results, const Plan& plan, const std::map<std::string, Index>& before,
              const std::string& path);

}  // namespace basin
