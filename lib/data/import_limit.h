#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace basin {

/// How much memory a data set may take while it is read or made. Every reader knows from a header or a count
/// how much it needs, and asks here before it takes any. Copies count together.
class ImportLimit {
 public:
  /// 0: half of the machine's memory.
  explicit ImportLimit(std::uint64_t bytes = 0);

  /// Counts `kept` bytes for good, and `passing` ones that are held while the thing is being read; none
  /// stands for more than 2^64. Throws Error, beginning with "WHO: ", when that is more than is left, with
  /// the limit and the key that raises it.
  void take(const std::string& who, std::optional<std::uint64_t> kept,
            std::optional<std::uint64_t> passing = 0) const;
  /// Of what was counted for good and is kept no longer.
  void give_back(std::uint64_t bytes) const;

  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_;
  std::shared_ptr<std::uint64_t> taken_;
};

}  // namespace basin
