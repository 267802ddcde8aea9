#include "training/experiment/compare_options.h"

namespace basin {

const std::vector<std::string>& compare_tests() {
  static const std::vector<std::string> tests = {"paired_t", "wilcoxon", "bootstrap"};
  return tests;
}

std::vector<std::pair<std::string, std::string CompareOptions::*>> compare_keys() {
  return {{"by", &CompareOptions::by},
          {"metric", &CompareOptions::metric},
          {"test", &CompareOptions::test},
          {"over", &CompareOptions::over},
          {"reference", &CompareOptions::reference}};
}

CompareOptions read_compare_options(const Config& table) {
  CompareOptions options;
  for (const auto& [key, option] : compare_keys())
    options.*option = key == "test" ? table.choice(key, compare_tests()) : table.text(key, "");
  if (!options.reference.empty() && options.by.empty())
    table.fail("reference", "expected also the key whose value it is, received none; add by = \"KEY\"");
  return options;
}

}  // namespace basin
