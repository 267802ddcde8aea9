#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tensor/flags.h"

namespace basin {

/// Conditions on numbers of a device that are put now and looked at later, so that no step waits for it:
/// while one lives, code on this thread that finds it by of() leaves its conditions here, and whoever made it
/// settles them every so many steps. Without one, and on the CPU, where nothing is gained, such code looks at
/// once.
class Demands {
 public:
  Demands();
  ~Demands();
  Demands(const Demands&) = delete;
  Demands& operator=(const Demands&) = delete;

  /// The youngest that lives on this thread; null for the CPU and where there is none.
  static Demands* of(Device device);
  static Demands* youngest();

  /// Raises a flag when a number of x fails; does not wait. `name` tells a condition from others, and is the
  /// same at every step; `fail` throws. A condition more than kMost names is looked at now.
  void check(const std::string& name, Check what, const Tensor& x, const std::function<void()>& fail);
  /// Reads all flags, in one download a device, and calls `fail` of the first that is up.
  void settle();

  static constexpr Index kMost = 64;

 private:
  Demands* outer_;
  Flags flags_{kMost};
  std::map<std::string, Index> numbers_;      // of names
  std::vector<std::function<void()>> fails_;  // by number
};

}  // namespace basin
