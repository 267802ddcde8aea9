// A run killed at any moment and resumed equals one that was not, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "program/program_fixture.h"
#include "tensor/key.h"

namespace basin::test {
namespace {

constexpr int kKills = 20;

TEST_F(Program, KilledAtTwentyRandomMomentsAndResumedEqualsTheUnbrokenRun) {
  write("run.toml", R"(seed = 11
data = { name = "strokes", scale = "stochastic", train = 1000, test = 100 }
model = { hidden = 32 }
train = { objective = "pcd", centring = 0.02, epochs = 15, batch = 50, metrics_every = 7 }
optimizer = { learning_rate = 0.05, schedule = "linear", momentum = 0.5, average = { from = 0.3 } }
evaluate = { ais = { chains = 20, temperatures = 50, burn_in = 5 } }
results = { file = "out.h5", checkpoint_seconds = 0.02 }
)");
  using Clock = std::chrono::steady_clock;
  const auto milliseconds_since = [](Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
  };
  const auto start = Clock::now();
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--out", "unbroken.h5"}).code, 0);
  auto whole = milliseconds_since(start);  // of the quickest run that was not killed

  int killed = 0, in_training = 0;
  for (int i = 0; i < kKills; ++i) {
    // A kill somewhere in the whole run's time; those before it leave less to do, so that several runs are
    // killed and finished.
    const auto draw = static_cast<std::int64_t>(Key(20).fold(static_cast<std::uint64_t>(i)).bits() >> 11);
    const auto moment = static_cast<int>(draw % std::max<std::int64_t>(whole, 1));
    const bool fresh = !std::filesystem::exists(path("out.h5"));
    const auto begun = Clock::now();
    const Outcome outcome =
        basin({"run", "run.toml", "--quiet", "--resume"}, {.signal_after_ms = moment, .signal = SIGKILL});
    const bool was_killed = outcome.signal == SIGKILL;
    killed += was_killed ? 1 : 0;
    if (!was_killed) {
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      if (fresh) whole = std::min(whole, milliseconds_since(begun));
    }
    if (std::filesystem::exists(path("out.h5"))) {
      const Outcome info = basin({"info", "out.h5"});
      ASSERT_EQ(info.code, 0) << info.err;  // readable at any moment
      const bool complete = info.out.find(": complete") != std::string::npos;
      in_training += complete ? 0 : 1;
      if (complete) {
        const Outcome same = basin({"verify", "unbroken.h5", "--against", "out.h5"});
        ASSERT_EQ(same.code, 0) << same.out << same.err;
        std::filesystem::remove(path("out.h5"));
      }
    }
  }
  const Outcome last = basin({"run", "run.toml", "--quiet", "--resume"});
  ASSERT_EQ(last.code, 0) << last.err;
  const Outcome same = basin({"verify", "unbroken.h5", "--against", "out.h5"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_GE(killed, kKills / 2);  // the machine may be quicker than in the first run, but most kills must hit
  EXPECT_GT(in_training, 0);
  EXPECT_EQ(files(),
            (std::vector<std::string>{"out.h5", "run.toml", "unbroken.h5"}));  // no remains of killed writes
}

}  // namespace
}  // namespace basin::test
