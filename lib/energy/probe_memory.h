#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// What probes have found of factors: whether the members of some variables stay apart in them (see
/// marginal/conditional.h). A finding is about one factor at weight 1, so that it holds under every weight. What
/// its order declares, or what couples, is known for good; of undeclared orders the question is put again at the
/// calls 1, 2, 4, ..., kEvery, 2 kEvery, ..., on the data of that call. Thread-safe; copies of a graph share one.
class ProbeMemory {
 public:
  static constexpr Index kEvery = 64;  // calls

  /// Why the members couple, empty where they do not; nullopt where it must be found out (again).
  std::optional<std::string> recall(const std::shared_ptr<const Factor>& factor,
                                    const std::vector<int>& members) {
    const std::lock_guard lock(mutex_);
    Finding* known = find(factor, members);
    if (known == nullptr) return std::nullopt;
    const Index call = ++known->calls;
    const bool ask = call % kEvery == 0 || (call < kEvery && (call & (call - 1)) == 0);
    return known->lasting || !ask ? std::optional(known->reason) : std::nullopt;
  }

  void learn(const std::shared_ptr<const Factor>& factor, const std::vector<int>& members, std::string reason,
             bool lasting) {
    const std::lock_guard lock(mutex_);
    std::erase_if(findings_, [](const Finding& finding) { return finding.factor.expired(); });
    Finding* known = find(factor, members);
    if (known == nullptr) known = &findings_.emplace_back(Finding{factor, members, {}, false, 1});
    known->reason = std::move(reason);
    known->lasting = lasting;
  }

 private:
  struct Finding {
    std::weak_ptr<const Factor> factor;  // weak, so that a new factor at an old one's address is not it
    std::vector<int> members;
    std::string reason;
    bool lasting = false;
    Index calls = 0;
  };
  Finding* find(const std::shared_ptr<const Factor>& factor, const std::vector<int>& members) {
    for (Finding& finding : findings_) {
      if (!finding.factor.owner_before(factor) && !factor.owner_before(finding.factor) &&
          finding.members == members) {
        return &finding;
      }
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::vector<Finding> findings_;
};

}  // namespace basin
