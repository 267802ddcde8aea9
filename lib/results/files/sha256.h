#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace basin {

/// SHA-256, fed piece by piece. Reference: FIPS 180-4; computed by OpenSSL's libcrypto, which libcurl needs
/// anyhow. Throws Error where libcrypto refuses.
class Sha256 {
 public:
  Sha256();
  Sha256& update(const void* bytes, std::size_t count);
  Sha256& update(std::string_view text) { return update(text.data(), text.size()); }
  /// 64 lower-case hex digits; ends the feeding.
  std::string hex();

 private:
  std::shared_ptr<void> context_;
};

/// The digest of a file. Throws Error when it cannot be read.
std::string sha256_file(const std::string& path);

}  // namespace basin
