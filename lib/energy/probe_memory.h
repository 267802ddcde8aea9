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
/// marginal/probe.h). A finding is about one factor at weight 1, so that it holds under every weight.
/// What its order declares, or what couples, is known for good; of undeclared orders the question is put
/// again, lightly at every call and at the calls 1, 2, 4, ..., kEvery, 2 kEvery, ... in full; where there are
/// no data always in full, since weights may have changed. Thread-safe; copies of a graph share one.
class ProbeMemory {
 public:
  static constexpr Index kEvery = 64;  // calls

  struct Known {
    std::string reason;  // why the members couple, empty where they do not
    bool lasting = false;
    Index call = 1;
    bool in_full() const { return call % kEvery == 0 || (call < kEvery && (call & (call - 1)) == 0); }
  };
  /// nullopt where nobody asked yet; counts the calls.
  std::optional<Known> recall(const std::shared_ptr<const Factor>& factor, const std::vector<int>& members) {
    const std::lock_guard lock(mutex_);
    Finding* found = find(factor, members);
    if (found == nullptr) return std::nullopt;
    ++found->known.call;
    return found->known;
  }

  void learn(const std::shared_ptr<const Factor>& factor, const std::vector<int>& members, std::string reason,
             bool lasting) {
    const std::lock_guard lock(mutex_);
    std::erase_if(findings_, [](const Finding& finding) { return finding.factor.expired(); });
    Finding* found = find(factor, members);
    if (found == nullptr) found = &findings_.emplace_back(Finding{factor, members, {}});
    found->known.reason = std::move(reason);
    found->known.lasting = lasting;
  }

 private:
  struct Finding {
    std::weak_ptr<const Factor> factor;  // weak, so that a new factor at an old one's address is not it
    std::vector<int> members;
    Known known;
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
