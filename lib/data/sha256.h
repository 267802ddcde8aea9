#pragma once

#include <string>

namespace basin {

/// The SHA-256 digest of a file, 64 lower-case hex digits. Throws Error when the file cannot be read.
/// Reference: FIPS 180-4; computed by OpenSSL's libcrypto, which libcurl needs anyhow.
std::string sha256_file(const std::string& path);

}  // namespace basin
