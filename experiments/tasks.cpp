#include "tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "interrupt.h"
#include "job.h"
#include "progress.h"
#include "results/files/file_lock.h"
#include "results/results_file.h"
#include "tensor/error.h"

namespace basin::program {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The results of a task that is complete.
std::optional<Store> complete_results(const Task& task) {
  if (!std::filesystem::exists(task.file)) return std::nullopt;
  try {
    Store results = load_results(task.file);
    if (results.text("/experiment/status") == "complete" &&
        results.text("/experiment/resolved") == task.run.resolved)
      return results;
  } catch (const Error&) {  // damaged, or no results: what becomes of it is decided before it is run
  }
  return std::nullopt;
}

/// Moves a file whose bytes are no HDF5 file, or not those that were written, to a name that is free, and
/// returns it; "" where there is nothing to move. Nothing goes on from such a file, and to refuse it would
/// leave its choice out of every table.
std::string set_aside(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return "";
  try {
    Store::load(file);
    return "";
  } catch (const Error&) {
  }
  std::string aside = file + ".damaged";
  for (int i = 2; std::filesystem::exists(aside); ++i) aside = fmt::format("{}.damaged.{}", file, i);
  std::filesystem::rename(file, aside, error);
  return error ? "" : aside;
}

/// Whether another process writes to a task's file: what a killed sweep has left ends within seconds.
bool is_busy(const Task& task) {
  try {
    return FileLock::take(task.file + ".lock", [] { return false; }) == nullptr;
  } catch (const Error&) {  // a file system without locks
    return false;
  }
}

std::vector<std::string> words_of(const Task& task, const TaskOptions& options) {
  std::vector<std::string> words = {"run", options.toml, "--single", "--resume", "--out", task.file};
  words.insert(words.end(), options.flags.begin(), options.flags.end());
  // A checkpoint goes on with the threads that it was begun with.
  if (!std::filesystem::exists(task.file))
    words.insert(words.end(), {"--threads", fmt::format("{}", options.threads)});
  words.emplace_back("--set");
  words.insert(words.end(), options.settings.begin(), options.settings.end());
  for (const Setting& setting : task.run.settings) words.push_back(setting.text());
  return words;
}

/// The tasks of one call, and the processes at work on them.
class Work {
 public:
  Work(std::vector<Task>& tasks, const TaskOptions& options, Board& board, const Look& look)
      : tasks_(tasks), options_(options), board_(board), look_(look) {}

  bool finish();

 private:
  struct Running {
    Task* task;
    Clock::time_point start;
    std::unique_ptr<Job> job;
  };

  void start_more();
  void collect();
  void end(Running& running);
  std::string left() const;
  void show();

  std::vector<Task>& tasks_;
  const TaskOptions& options_;
  Board& board_;
  const Look& look_;
  std::list<Task*> waiting_;
  std::list<Running> running_;
  std::size_t done_ = 0, failed_ = 0, ended_here_ = 0;
  bool is_stopping_ = false;
  Clock::time_point start_ = Clock::now();
};

bool Work::finish() {
  for (Task& task : tasks_) {
    if (const auto results = complete_results(task)) {
      task.status = Task::Status::Complete;
      ++done_;
      if (look_) look_(*results);
    } else {
      waiting_.push_back(&task);
    }
    if (interrupted()) return false;
  }
  if (done_ > 0) board_.say(fmt::format("{} of {} runs are complete already", done_, tasks_.size()));
  while (!waiting_.empty() || !running_.empty()) {
    if (interrupted() && !is_stopping_) {
      is_stopping_ = true;
      waiting_.clear();
      for (const Running& running : running_) running.job->interrupt();
    }
    start_more();
    show();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    collect();
  }
  return !is_stopping_;
}

void Work::start_more() {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    if (running_.size() >= static_cast<std::size_t>(options_.jobs)) return;
    if (is_busy(**next)) {
      ++next;
      continue;
    }
    if (const std::string aside = set_aside((*next)->file); !aside.empty())
      board_.say(fmt::format("warning: {} is damaged: moved to {}, and run again", (*next)->file, aside));
    running_.push_back({*next, Clock::now(), std::make_unique<Job>(words_of(**next, options_))});
    next = waiting_.erase(next);
  }
}

void Work::collect() {
  for (auto running = running_.begin(); running != running_.end();) {
    if (!running->job->has_ended()) {
      ++running;
      continue;
    }
    end(*running);
    running = running_.erase(running);
  }
}

void Work::end(Running& running) {
  Task& task = *running.task;
  task.failure = running.job->failure();
  task.was_killed = running.job->was_killed();
  std::optional<Store> results;
  if (task.failure.empty() && !(results = complete_results(task)))
    task.failure = fmt::format("{} holds another experiment than {} asked for when the sweep began",
                               task.file, options_.toml);
  if (is_stopping_ && task.was_killed) return;
  task.status = results ? Task::Status::Complete : Task::Status::Failed;
  ++ended_here_;
  ++(results ? done_ : failed_);
  board_.say(fmt::format("{} of {}  {}  {}{}", done_ + failed_, tasks_.size(), task.run.name,
                         results ? duration(seconds_since(running.start)) : "failed: " + task.failure,
                         left()));
  if (results && look_) look_(*results);
}

std::string Work::left() const {
  const std::size_t rest = tasks_.size() - done_ - failed_;
  if (ended_here_ == 0 || rest == 0) return "";
  return fmt::format("  {} left", duration(seconds_since(start_) / static_cast<double>(ended_here_) *
                                           static_cast<double>(rest)));
}

void Work::show() {
  std::vector<std::string> lines = {fmt::format("{} of {} runs done, {} failed, {} running{}",
                                                done_ + failed_, tasks_.size(), failed_, running_.size(),
                                                left())};
  for (const Running& running : running_)
    lines.push_back(fmt::format("  {}  {}", running.task->run.name, running.job->last_line()));
  if (running_.empty()) lines.emplace_back("  waiting for other processes that write to the files");
  board_.show(lines);
}

}  // namespace

bool run_tasks(std::vector<Task>& tasks, const TaskOptions& options, Board& board, const Look& look) {
  return Work(tasks, options, board, look).finish();
}

}  // namespace basin::program
