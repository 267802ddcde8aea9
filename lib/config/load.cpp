#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <fstream>

#include "config/config.h"
#include "tensor/error.h"

namespace basin {

Config Config::load(const std::string& path) {
  constexpr std::size_t kLongest = std::size_t{1} << 24;  // of what people write; /dev/zero has no end
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char part[1 << 12];
  while (text.size() <= kLongest && (file.read(part, sizeof part), file.gcount() > 0))
    text.append(part, static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad() || text.size() > kLongest ||
      std::filesystem::is_directory(path)) {  // a folder opens, and reads as empty
    throw Error(fmt::format("[config] cannot read '{}'; expected a TOML experiment file of at most {} MiB",
                            path, kLongest >> 20));
  }
  return parse(text, path);
}

}  // namespace basin
