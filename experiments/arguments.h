#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/reader.h"

namespace basin::program {

/// A command line that makes no sense; the program exits with kUsage.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Exit codes.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kMissed = 3;  // done, but a number is not where the experiment expects it
inline constexpr int kInterrupted = 130;

/// One option of a command. `value` names its argument ("N"); empty for a switch.
struct Option {
  std::string name, value, text;
  bool many = false;  // may be given several times, and takes several words
};

/// What a command accepts, for parsing and for --help.
struct Syntax {
  std::string command;  // "run"
  std::string summary;  // one line
  std::vector<std::string>
      positionals;  // "FILE.toml"; "[NAME]" may be left out, of "FILE..." there may be several
  std::vector<Option> options;
  std::string details;                // paragraphs after the options
  std::vector<std::string> examples;  // command line, then what it does, in turn
  bool computes = false;              // takes the options of device_option.h
};

/// Its options, those of where it computes, and those that every command takes.
std::vector<Option> all_options(const Syntax& syntax);

/// The text of `basin COMMAND --help`.
std::string help(const Syntax& syntax);

/// A parsed command line. Every command also takes --help and --debug.
class Arguments {
 public:
  /// Throws UsageError.
  Arguments(const Syntax& syntax, const std::vector<std::string>& words);

  bool has(const std::string& option) const;
  std::optional<std::string> text(const std::string& option) const;
  std::vector<std::string> texts(const std::string& option) const;
  /// Throws UsageError when the option's argument is not a whole number in [least, most].
  std::optional<std::int64_t> integer(const std::string& option, std::int64_t least,
                                      std::int64_t most = kMostCounted) const;

  /// Empty when an optional one was left out.
  std::string positional(std::size_t index) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string command_;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positionals_;
};

}  // namespace basin::program
