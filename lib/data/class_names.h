#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace basin {

/// What training samples say and test samples must keep to. Names of the categories of a column, where a file
/// has words in place of 0, 1, ...: in the order of the alphabet they stand for 0, 1, ... A column that is
/// there without names has numbers. Under "cells of <column>": the names, in their order, of cells that make
/// a column of several.
using ClassNames = std::map<std::string, std::vector<std::string>>;

/// The place of a name in a sorted list; -1: it is not there.
std::int32_t class_of(const std::vector<std::string>& names, const std::string& name);

}  // namespace basin
