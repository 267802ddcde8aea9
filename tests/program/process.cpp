#include "program/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace basin::test {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void become(const std::vector<std::string>& words, const ProcessOptions& options,
                         const std::string& out, const std::string& err) {
  const auto redirect = [](const char* path, int flags, int to) {
    if (std::string_view(path) == "-") return;
    const int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, to) < 0) {
      _exit(126);
    }
  };
  redirect("/dev/null", O_RDONLY, STDIN_FILENO);
  redirect(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  redirect(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  setenv("OMP_NUM_THREADS", "1", 1);  // models here are tiny, and the machine may be busy
  for (const std::string& variable : options.environment) {
    const auto equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  if (options.largest_file > 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{static_cast<rlim_t>(options.largest_file), static_cast<rlim_t>(options.largest_file)};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);  // also in the background
  if (chdir(options.folder.c_str()) != 0) {
    _exit(126);
  }
  if (out == "-") close(STDOUT_FILENO);
  if (err == "-") close(STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

Outcome run_process(const std::vector<std::string>& words, const ProcessOptions& options) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  static std::atomic<int> runs = 0;  // tests may run several beside each other
  const std::string stem =
      (folder / ("basin-process-" + std::to_string(getpid()) + "-" + std::to_string(runs++))).string();
  const std::string out = stem + ".out", err = stem + ".err";
  const pid_t child = fork();
  if (child < 0) {
    throw std::runtime_error("fork failed");
  }
  if (child == 0) {
    become(words, options, options.out.empty() ? out : options.out, options.err.empty() ? err : options.err);
  }
  if (options.signal_after_ms >= 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.signal_after_ms));
    kill(child, options.signal);
  }
  const auto signalled = std::chrono::steady_clock::now();
  if (options.again_after_ms >= 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.again_after_ms));
    kill(child, options.signal);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome;
  outcome.seconds_after_signal =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - signalled).count();
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  outcome.out = read_all(out);
  outcome.err = read_all(err);
  std::filesystem::remove(out);
  std::filesystem::remove(err);
  return outcome;
}

}  // namespace basin::test
