#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/node.h"
#include "tensor/key.h"

namespace basin {

/// The values of one key in a table [sweep] (sweep.h): a list, or a range.
class SweepAxis {
 public:
  /// Throws Error with file, line and column.
  SweepAxis(std::string path, const Node& value);

  const std::string& path() const { return path_; }
  /// Where the key stands: "file:line:column".
  const std::string& place() const { return given_.key_place; }
  /// All of them. Throws Error for a range without steps.
  std::vector<Node> values() const;
  /// One of them, each as likely as any other; of a range without steps any number between its ends.
  Node draw(Key key) const;

  /// Whether a table is a range, and not one of keys.
  static bool is_range(const Node& table);

 private:
  Node number(double at) const;

  std::string path_;
  Node given_;                // for places
  std::vector<Node> values_;  // of a list
  double from_ = 0.0, to_ = 0.0;
  std::int64_t steps_ = 0;
  bool is_log_ = false, is_whole_ = false;
};

}  // namespace basin
