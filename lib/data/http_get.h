#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace basin {

/// One HTTP(S) request for the bytes of `url` from offset `from` on.
struct HttpGet {
  std::string url;
  std::uint64_t from = 0;
  double connect_seconds = 15.0, stalled_seconds = 30.0;
  std::function<void()> restart;  // the server sends the file from its beginning: forget what is there
  std::function<bool(std::span<const char>)> receive;  // the next bytes; false stops the transfer. May throw
  std::function<bool()> cancelled;                     // may be empty; true stops the transfer
};

/// Performs the request. Returns "" on success, else what went wrong in a few words. Exceptions of the
/// callbacks pass through. Only http and https are spoken, redirections included.
std::string http_get(const HttpGet& request);

}  // namespace basin
