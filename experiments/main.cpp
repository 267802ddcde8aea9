#include <cxxabi.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

#include "commands.h"
#include "config/nearest.h"
#include "console.h"
#include "interrupt.h"
#include "readable.h"
#include "revision.h"
#include "tensor/error.h"

namespace basin::program {
namespace {

std::string overview() {
  std::string text =
      "basin: energy-based and unsupervised learning from experiment files\n\nUsage: basin COMMAND ...\n\n";
  constexpr std::size_t kColumns = 80, kNames = 14;
  for (const Command& command : commands()) {
    std::string lines = wrapped(std::string(kNames, ' ') + command.syntax().summary, kColumns);
    text += lines.replace(2, command.syntax().command.size(), command.syntax().command);
  }
  text += wrapped(fmt::format(
      "\n'basin help COMMAND' says more, with examples. Start with:\n"
      "  basin run experiments/quickstart.toml\n\n"
      "Exit codes: {} done; {} failed (one line on stderr says why); {} wrong command line; {} done, but a "
      "number is not where [expect] of the experiment has it; {} interrupted.\n"
      "Variables: BASIN_DATA (folder searched for data sets), OMP_NUM_THREADS (threads unless --threads is "
      "given), BASIN_CUDA_LIBRARY (kernels for GPUs, where they are not beside the program).\n",
      kDone, kFailed, kUsage, kMissed, kInterrupted));
  return text;
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    throw UsageError("[basin] expected a command; see basin --help");
  }
  if (words[0] == "help" && words.size() > 1) {  // "help run": "run --help"
    return dispatch({words[1], "--help"});
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print(overview());
    return kDone;
  }
  if (words[0] == "--version") {
    print(fmt::format("basin {}\n", revision()));
    return kDone;
  }
  for (const Command& command : commands()) {
    const Syntax& syntax = command.syntax();
    if (syntax.command == words[0]) {
      const Arguments arguments(syntax, {words.begin() + 1, words.end()});
      if (arguments.has("help")) {
        print(help(syntax));
        return kDone;
      }
      return command.run(arguments);
    }
  }
  std::vector<std::string> known;
  for (const Command& command : commands()) known.push_back(command.syntax().command);
  throw UsageError(fmt::format("[basin] unknown command '{}'; {}; see basin --help", words[0],
                               suggestion(words[0], known)));
}

/// `text` is for people; the error itself for --debug.
void report(const std::string& text, const std::exception& error, const std::vector<std::string>& words) {
  tell(fmt::format("basin: {}\n", readable(text)));
  bool debug = false;
  std::string line = "basin";
  for (const std::string& word : words) {
    debug = debug || word == "--debug";
    line += " " + word;
  }
  if (debug) {
    constexpr std::size_t kAll = 1 << 20;
    int failed = 0;
    const std::unique_ptr<char, void (*)(void*)> kind(
        abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &failed), std::free);
    tell(fmt::format("  kind of error: {}, {}\n  command line:  {}\n  revision:      {}\n",
                     kind ? kind.get() : typeid(error).name(), readable(error.what(), kAll, kAll), line,
                     revision()));
  }
}

int main_of(const std::vector<std::string>& words) {
  constexpr const char* kNoMemory = "[basin] out of memory; make the model, the batch or the data smaller";
  try {
    return dispatch(words);
  } catch (const UsageError& error) {
    report(error.what(), error, words);
    return kUsage;
  } catch (const Error& error) {
    report(error.what(), error, words);
  } catch (const std::bad_alloc& error) {
    report(kNoMemory, error, words);
  } catch (const std::length_error& error) {  // more than a vector or a text may ever have
    report(kNoMemory, error, words);
  } catch (const std::filesystem::filesystem_error& error) {
    report(fmt::format("[basin] cannot use '{}': {}", error.path1().string(), error.code().message()), error,
           words);
  } catch (const std::exception& error) {
    report("[basin] a mistake in basin itself; please report what the same command says with --debug", error,
           words);
  }
  return kFailed;
}

/// By default GNU OpenMP's threads spin for milliseconds at the end of every parallel loop. Where another
/// program wants a core, each of our thousands of short loops a second then waits for a scheduler's turn: ten
/// times slower and worse was seen. A few thousand spins cost nothing on an idle machine. The variable is
/// read before main(), hence the program starts itself again with it; whoever sets it, or OMP_WAIT_POLICY, is
/// left alone.
void spin_briefly(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr) {
    setenv("GOMP_SPINCOUNT", "3000", 0);
    execv("/proc/self/exe", argv);  // returns only where it cannot: then all works, but for the waiting
  }
}

}  // namespace
}  // namespace basin::program

int main(int argc, char** argv) {
  using namespace basin::program;
  open_streams();
  spin_briefly(argv);
  watch_signals();
  const int code = main_of({argv + 1, argv + argc});
  if (flush_output()) return code;
  tell(fmt::format("basin: [basin] cannot write to stdout: {}\n", std::strerror(errno)));
  return code == kDone ? kFailed : code;
}
