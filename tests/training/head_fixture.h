#pragma once

#include "training/experiment_fixture.h"

namespace basin::test {

/// Runs of heads, without pictures, each in the place of an earlier one unless it is resumed.
class HeadFolder : public ExperimentFolder {
 protected:
  HeadFolder() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name, const FitObserver& step = {},
                bool resume = false) {
    RunOptions how = options(name);
    how.pictures = false;
    how.resume = resume;
    how.replace = !resume;
    return run_experiment(plan, how, {.step = step});
  }
};

}  // namespace basin::test
