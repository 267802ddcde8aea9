#pragma once

#include <map>
#include <string>
#include <vector>

#include "results/hdf5/store.h"

namespace basin {

/// A name and what several files say by it, "-" where one says nothing.
struct SideBySideRow {
  std::string name;
  std::vector<std::string> cells = {};  // a file each
  bool differs = false;
};

/// What files say by names of their own, a row a name, sorted.
std::vector<SideBySideRow> side_by_side(const std::vector<std::map<std::string, std::string>>& said);

/// The numbers of the evaluation of every stage of a results file, else those of its last epoch, in six
/// digits: "test_error", of several stages "first: forward/log_partition".
std::map<std::string, std::string> numbers_of(const Store& results);

}  // namespace basin
