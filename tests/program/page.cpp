#include "program/page.h"

#include <fstream>
#include <sstream>

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

std::vector<std::string> layout_paths() {
  std::ifstream page(BASIN_SOURCE "/lib/results/LAYOUT.md");
  std::vector<std::string> paths;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string cell = line.substr(0, line.find(" |", 2));
    for (std::size_t begin = cell.find('`'); begin != std::string::npos;) {
      const std::size_t end = cell.find('`', begin + 1);
      const std::string name = cell.substr(begin + 1, end - begin - 1);
      paths.push_back(name.starts_with('/') ? name : "/stages/<name>/" + name);
      begin = cell.find('`', end + 1);
    }
  }
  return paths;
}

bool is_laid_out(const std::string& path, const std::vector<std::string>& layout) {
  for (const std::string& known : layout) {
    if (known.ends_with('/')) continue;  // a group
    std::istringstream ours(path), theirs(known);
    std::string our, their;
    bool same = true;
    while (same) {
      const bool more = static_cast<bool>(std::getline(ours, our, '/'));
      if (more != static_cast<bool>(std::getline(theirs, their, '/'))) same = false;
      if (!more) break;
      same = same && (our == their || their.starts_with('<'));
    }
    if (same) return true;
  }
  return false;
}

}  // namespace basin::test
