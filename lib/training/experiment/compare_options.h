#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace basin {

/// How runs are to be compared: a table [compare] of their experiment, written before they ran and recorded
/// with them, or the flags of a command. "": not said.
struct CompareOptions {
  std::string by = {};         // the key whose values are compared; "": all that differ but seeds
  std::string metric = {};     // "": the one that says most
  std::string test = {};       // one of compare_tests(); "": none
  std::string over = {};       // a key of numbers: each of its values is compared by itself
  std::string reference = {};  // the value of `by` that others are compared with; "": the first

  bool operator==(const CompareOptions&) const = default;
};

/// "paired_t", "wilcoxon" (paired_tests.h), "bootstrap" (bootstrap.h).
const std::vector<std::string>& compare_tests();

/// Each option with the name of its key.
std::vector<std::pair<std::string, std::string CompareOptions::*>> compare_keys();

/// Reads a table [compare]; `test` is needed. Throws Error with file, line and column.
CompareOptions read_compare_options(const Config& table);

}  // namespace basin
