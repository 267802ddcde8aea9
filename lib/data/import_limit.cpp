#include "data/import_limit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::uint64_t half_of_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  constexpr std::uint64_t kUnknown = std::uint64_t{4} << 30;
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) / 2
                               : kUnknown;
}

std::string amount(std::uint64_t bytes) {
  constexpr double kMebibyte = 1 << 20;
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMebibyte);
}

}  // namespace

ImportLimit::ImportLimit(std::uint64_t bytes)
    : bytes_(bytes == 0 ? half_of_memory() : bytes), taken_(std::make_shared<std::uint64_t>(0)) {}

void ImportLimit::take(const std::string& who, std::optional<std::uint64_t> kept,
                       std::optional<std::uint64_t> passing) const {
  const std::optional<std::uint64_t> needed =
      kept && passing ? checked_add(*kept, *passing) : std::optional<std::uint64_t>();
  const std::uint64_t left = bytes_ - *taken_;
  if (!needed || *needed > left) {
    throw Error(fmt::format(
        "{}: needs {} of memory{}, more than the import limit of {}; take fewer or smaller samples, or raise "
        "data.import_limit (in MiB)",
        who, needed ? amount(*needed) : "more than 2^64 bytes",
        *taken_ == 0 ? "" : fmt::format(" beside the {} that are taken", amount(*taken_)), amount(bytes_)));
  }
  *taken_ += *kept;
}

void ImportLimit::give_back(std::uint64_t bytes) const { *taken_ -= std::min(bytes, *taken_); }

}  // namespace basin
