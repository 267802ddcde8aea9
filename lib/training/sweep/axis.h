#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/node.h"
#include "tensor/key.h"
#include "training/sweep/setting.h"

namespace basin {

/// The values of one key in a table [sweep] (sweep.h): a list, or a range; or those of several keys that go
/// together, "a, b": a list of lists, a value for each key in each.
class SweepAxis {
 public:
  /// Throws Error with file, line and column.
  SweepAxis(std::string path, const Node& value);

  /// The key, or the first of those that go together,
  const std::string& path() const { return paths_.front(); }
  /// and all of them.
  const std::vector<std::string>& paths() const { return paths_; }
  /// All of them. Throws Error for a range without steps.
  std::vector<Node> values() const;
  /// Each key with what one of the values says of it; all but the first, and the seed, follow it.
  Settings settings(const Node& value) const;
  /// One of them, each as likely as any other; of a range without steps any number between its ends.
  Node draw(Key key) const;

  /// Whether a table is a range, and not one of keys.
  static bool is_range(const Node& table);

 private:
  Node number(double at) const;

  std::string path_;  // as it was written
  std::vector<std::string> paths_;
  Node given_;                // for places
  std::vector<Node> values_;  // of a list
  double from_ = 0.0, to_ = 0.0;
  std::int64_t steps_ = 0;
  bool is_log_ = false, is_whole_ = false;
};

}  // namespace basin
