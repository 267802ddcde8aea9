#include "result_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tensor/error.h"

namespace basin::program {

std::vector<std::string> result_files(const std::string& who, const std::vector<std::string>& names) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& name : names) {
    if (!fs::is_directory(name)) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> own;
    for (const auto& entry : fs::directory_iterator(name)) {
      if (entry.path().extension() == ".h5") own.push_back(entry.path().string());
    }
    if (own.empty()) throw Error(fmt::format("[{}] expected results files in {}, received none", who, name));
    std::ranges::sort(own);
    files.insert(files.end(), own.begin(), own.end());
  }
  return files;
}

}  // namespace basin::program
