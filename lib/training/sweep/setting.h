#pragma once

#include <string>
#include <vector>

#include "config/node.h"

namespace basin {

/// The key by which runs of one choice of settings differ.
inline constexpr const char* kSeed = "seed";

/// A value for a key of an experiment, with the place where a file says so, if one does.
struct Setting {
  std::string path;  // "data.labels"
  Node value;
  bool follows = false;  // goes with the value of another key, and need not be named beside it

  /// "data.labels=1000", as --set takes it.
  std::string text() const;
  /// The value in short, for names and tables: of an array of tables their names, "first+second", or "none".
  std::string short_value() const;
};

using Settings = std::vector<Setting>;

/// "data.labels=1000 seed=1"
std::string text_of(const Settings& settings);

}  // namespace basin
