#include "results/hdf5/seal.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "results/files/sha256.h"
#include "results/hdf5/hdf5_image.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::string line_of(std::string_view bytes) {
  return fmt::format("sha256 {}\n", Sha256().update(bytes).hex());
}

constexpr std::size_t kLine = 72;

}  // namespace

std::string seal(std::string bytes) {
  bytes += line_of(bytes);
  return bytes;
}

bool unseal(std::string& bytes, const std::string& name) {
  const std::uint64_t length = hdf5_length(bytes);
  if (length == 0 || bytes.size() <= length || bytes.size() - length > kLine) return false;
  const std::string_view content = std::string_view(bytes).substr(0, static_cast<std::size_t>(length));
  if (std::string_view(bytes).substr(content.size()) != line_of(content)) {
    throw Error(
        fmt::format("[results] {}: its SHA-256 is not the one written at its end: the file is damaged; "
                    "take another copy, or run it again with --force",
                    name));
  }
  bytes.resize(content.size());
  return true;
}

}  // namespace basin
