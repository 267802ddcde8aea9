#pragma once

#include <string>
#include <vector>

#include "config/node.h"

namespace basin {

/// A value for a key of an experiment, with the place where a file says so, if one does.
struct Setting {
  std::string path;  // "data.labels"
  Node value;

  /// "data.labels=1000", as --set takes it.
  std::string text() const;
};

using Settings = std::vector<Setting>;

/// "data.labels=1000 seed=1"
std::string text_of(const Settings& settings);

}  // namespace basin
