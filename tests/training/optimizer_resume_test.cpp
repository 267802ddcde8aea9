#include "data/dataset.h"
#include "results/compare.h"
#include "training/experiment_fixture.h"

namespace basin::test {
namespace {

constexpr const char* kSoftmax = R"(
data = { name = "strokes", train = 60, test = 20 }
head = { kind = "softmax" }
protocol = "supervised"
[fine_tune]
epochs = 3
batch = 30
)";

class OptimizerResume : public ExperimentFolder {
 protected:
  OptimizerResume() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name, bool resume, const FitObserver& step = {}) {
    RunOptions how = options(name);
    how.pictures = false;
    how.resume = resume;
    how.replace = !resume;
    return run_experiment(plan, how, {.step = step});
  }
};

/// Every optimizer that an experiment can name, schedules by epochs and all restraints with it.
TEST_F(OptimizerResume, AnyOptimizerStoppedAndResumedEqualsTheUnbrokenRun) {
  const std::string restrained =
      "schedule = \"stairs\", factor = 0.5, every = 1, clock = \"epochs\", warm_up = 2, clip_norm = 0.5, "
      "clip_value = 0.1, l1 = 1e-4, l2 = 1e-3, penalties_from = 1, max_norm = 0.5, rates = { \"head.bias\" = "
      "0.5 }";
  for (const std::string& kind : optimizer_kinds()) {
    const bool searches = kind == "lbfgs" || kind == "conjugate_gradient";
    const std::string table =
        "kind = \"" + kind + "\", " +
        (searches ? "iterations = 2, weight_decay = 1e-3" : "learning_rate = 0.05, " + restrained) +
        (kind == "sgd" ? ", momentum = 0.9" : "") +
        (kind == "diagonal_newton" ? ", curvature_every = 2" : "");
    const Plan plan = plan_of_text(kSoftmax + ("optimizer = { " + table + " }\n"));
    const RunResult whole = run(plan, "whole.h5", false);
    ASSERT_TRUE(whole.complete) << kind;
    for (const Index stop : {1, 3, 4}) {
      Index step = 0;
      run(plan, "part.h5", false, [&](const FitReport&) { return ++step < stop; });
      ASSERT_TRUE(run(plan, "part.h5", true).complete) << kind;
      const std::vector<std::string> lines =
          differences(whole.store, Store::load(file("part.h5")), {"/time", "/experiment/given"});
      EXPECT_TRUE(lines.empty()) << kind << ": " << lines.front();
    }
  }
}

}  // namespace
}  // namespace basin::test
