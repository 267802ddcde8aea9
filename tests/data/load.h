#pragma once

#include <string>

#include "config/config.h"
#include "data/catalog.h"

namespace basin::test {

/// The data set of a [data] table. Throws Error for keys that nobody reads, too.
inline Dataset load(const std::string& table) {
  const Config config = Config::parse("[data]\n" + table);
  const DatasetChoice choice = read_dataset(config.table("data"));
  config.finish();
  return load_dataset(choice.name, choice.options);
}

}  // namespace basin::test
