#include "results/files/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

EVP_MD_CTX* in(const std::shared_ptr<void>& context) { return static_cast<EVP_MD_CTX*>(context.get()); }

void check(bool good) {
  if (!good) throw Error("[sha256] libcrypto refuses SHA-256; check the OpenSSL set-up");
}

}  // namespace

Sha256::Sha256()
    : context_(EVP_MD_CTX_new(), [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  check(context_ != nullptr && EVP_DigestInit_ex(in(context_), EVP_sha256(), nullptr) == 1);
}

Sha256& Sha256::update(const void* bytes, std::size_t count) {
  check(EVP_DigestUpdate(in(context_), bytes, count) == 1);
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(in(context_), digest.data(), &length) == 1);
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string sha256_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw Error(
        fmt::format("[sha256] {}: expected a file, received something else", path));  // a pipe would wait
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("[sha256] {}: cannot be opened: {}", path, std::strerror(errno)));
  Sha256 digest;
  for (std::vector<char> buffer(1 << 16); file;) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.update(buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw Error(fmt::format("[sha256] {}: cannot be read: {}", path, std::strerror(errno)));
  return digest.hex();
}

}  // namespace basin
