#include "training/experiment/starting_point.h"

#include <fmt/format.h>

#include "results/files/sha256.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "training/experiment/stage_run.h"

namespace basin {

StartingPoint::StartingPoint(const std::string& file)
    : file_(file), digest_(sha256_file(file)), results_(load_results(file)) {}

std::vector<std::string> StartingPoint::stages() const { return stage_names(results_); }

bool StartingPoint::fill(const Stage& stage) const {
  const std::string group = stage_group(stage.name);
  if (!is_given() || !stage.objective || !results_.has(group + "/parameters")) return false;
  try {
    restore_stage(stage, results_.group(group));
  } catch (const Error& error) {
    throw Error(fmt::format("[init_from] {}: expected the parameters of stage {}: {}", file_, stage.name,
                            error.what()));
  }
  return true;
}

}  // namespace basin
