#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"

namespace basin {

struct UnitColours;

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

  /// The colours of the units of `members` that these factors couple (sample/discrete/unit_colours.h); null
  /// where nobody has looked, or where a factor lives no more.
  std::shared_ptr<const UnitColours> colours(const std::vector<std::shared_ptr<const Factor>>& factors,
                                             const std::vector<int>& members) {
    const std::lock_guard lock(mutex_);
    for (const Colouring& colouring : colourings_) {
      if (colouring.members == members && same(colouring.factors, factors)) return colouring.colours;
    }
    return nullptr;
  }

  void learn_colours(const std::vector<std::shared_ptr<const Factor>>& factors,
                     const std::vector<int>& members, std::shared_ptr<const UnitColours> colours) {
    const std::lock_guard lock(mutex_);
    std::erase_if(colourings_, [&](const Colouring& known) {
      const bool dead = std::any_of(known.factors.begin(), known.factors.end(),
                                    [](const auto& factor) { return factor.expired(); });
      return dead || (known.members == members && same(known.factors, factors));
    });
    colourings_.push_back({{factors.begin(), factors.end()}, members, std::move(colours)});
  }

 private:
  struct Colouring {
    std::vector<std::weak_ptr<const Factor>> factors;
    std::vector<int> members;
    std::shared_ptr<const UnitColours> colours;
  };
  static bool is(const std::weak_ptr<const Factor>& known, const std::shared_ptr<const Factor>& factor) {
    return !known.owner_before(factor) && !factor.owner_before(known);
  }
  static bool same(const std::vector<std::weak_ptr<const Factor>>& known,
                   const std::vector<std::shared_ptr<const Factor>>& factors) {
    return std::equal(known.begin(), known.end(), factors.begin(), factors.end(), is);
  }

  struct Finding {
    std::weak_ptr<const Factor> factor;  // weak, so that a new factor at an old one's address is not it
    std::vector<int> members;
    Known known;
  };
  Finding* find(const std::shared_ptr<const Factor>& factor, const std::vector<int>& members) {
    for (Finding& finding : findings_) {
      if (is(finding.factor, factor) && finding.members == members) return &finding;
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::vector<Finding> findings_;
  std::vector<Colouring> colourings_;
};

}  // namespace basin
