#include "data/http_get.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string_view>

namespace basin {
namespace {

struct Transfer {
  const HttpGet& request;
  CURL* handle;
  std::uint64_t range_begin = 0;  // as the server's Content-Range states it
  bool started = false;
  curl_off_t received = 0;
  std::chrono::steady_clock::time_point last_byte = std::chrono::steady_clock::now();
  std::string problem = {};           // of our own finding
  std::exception_ptr exception = {};  // must not cross libcurl, which is C
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  const std::string_view line(data, size * count);
  constexpr std::string_view kName = "content-range: bytes ";
  if (line.size() > kName.size() && curl_strnequal(line.data(), kName.data(), kName.size()) != 0) {
    std::uint64_t begin = 0;
    for (const char c : line.substr(kName.size())) {
      if (c < '0' || c > '9') break;
      begin = 10 * begin + static_cast<std::uint64_t>(c - '0');
    }
    static_cast<Transfer*>(user)->range_begin = begin;
  }
  return line.size();
}

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  constexpr std::size_t kStop = 0;  // any number but size * count
  try {
    if (!transfer.started) {
      transfer.started = true;
      long status = 0;
      curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
      const bool continues = status == 206 && transfer.range_begin == transfer.request.from;
      if (status == 206 && !continues) {
        transfer.problem = "the server sends another range than the one asked for";
        return kStop;
      }
      if (!continues && transfer.request.from > 0) transfer.request.restart();
    }
    return transfer.request.receive({data, size * count}) ? size * count : kStop;
  } catch (...) {
    transfer.exception = std::current_exception();
    return kStop;
  }
}

/// Called at least once a second. Watches for stalls itself: libcurl's own limit looks at the mean of the
/// last five seconds.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto now = std::chrono::steady_clock::now();
  if (received != transfer.received) {
    transfer.received = received;
    transfer.last_byte = now;
  }
  if (std::chrono::duration<double>(now - transfer.last_byte).count() > transfer.request.stalled_seconds) {
    transfer.problem = fmt::format("no byte came for {:g} s", transfer.request.stalled_seconds);
    return 1;
  }
  try {
    return transfer.request.cancelled && transfer.request.cancelled() ? 1 : 0;
  } catch (...) {
    transfer.exception = std::current_exception();
    return 1;
  }
}

}  // namespace

std::string http_get(const HttpGet& request) {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(kReady ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (handle == nullptr) return "libcurl does not start";
  CURL* const curl = handle.get();
  Transfer transfer{request, curl};
  char detail[CURL_ERROR_SIZE] = "";
  const std::string range = fmt::format("{}-", request.from);
  const auto set = [curl](CURLoption option, auto value) { return curl_easy_setopt(curl, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 5L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "basin");
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(1e3 * request.connect_seconds));
  if (request.from > 0) set(CURLOPT_RANGE, range.c_str());
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_WRITEFUNCTION, &on_data);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  const CURLcode code = curl_easy_perform(curl);
  if (transfer.exception) std::rethrow_exception(transfer.exception);
  if (code == CURLE_OK) return "";
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 416) request.restart();  // nothing at that offset: what is there does not belong to this file
  if (!transfer.problem.empty()) return transfer.problem;
  return *detail != '\0' ? detail : curl_easy_strerror(code);
}

}  // namespace basin
