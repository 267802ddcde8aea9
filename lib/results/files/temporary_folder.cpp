#include "results/files/temporary_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tensor/error.h"

namespace basin {

std::string make_temporary_folder(const std::string& purpose) {
  std::string name =
      (std::filesystem::temp_directory_path() / fmt::format("basin-{}-XXXXXX", purpose)).string();
  if (mkdtemp(name.data()) == nullptr) {
    throw Error(fmt::format("[{}] cannot make a folder {}: {}; set TMPDIR to one that can be written",
                            purpose, name, std::strerror(errno)));
  }
  return name;
}

}  // namespace basin
