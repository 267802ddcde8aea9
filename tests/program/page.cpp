#include "program/page.h"

#include <fstream>

namespace basin::test {

std::vector<std::string> page_blocks(const std::string& language, const std::string& section) {
  std::ifstream page(BASIN_README);
  std::vector<std::string> blocks;
  bool here = section.empty(), fenced = false, inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      inside = here && !fenced && line == "```" + language;
      fenced = !fenced;
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back() += line + "\n";
    } else if (!fenced && line.starts_with("## ") && !section.empty()) {
      here = line == section;
    }
  }
  return blocks;
}

}  // namespace basin::test
