#pragma once

#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/stage.h"

namespace basin {

/// The results of another run, whose parameters a run starts from: each stage from that of its own name, the
/// averages where there are any. Its objective and its optimizer begin anew.
class StartingPoint {
 public:
  /// No other run.
  StartingPoint() = default;
  /// Throws Error where the file holds no results.
  explicit StartingPoint(const std::string& file);

  bool is_given() const { return !file_.empty(); }
  const std::string& file() const { return file_; }
  const std::string& digest() const { return digest_; }  // SHA-256 of the file
  std::vector<std::string> stages() const;
  /// Fills a stage's parameters: false where the file has no such stage, or the stage nothing to train.
  /// Throws Error where a parameter is missing or has another shape.
  bool fill(const Stage& stage) const;

 private:
  std::string file_, digest_;
  Store results_;
};

}  // namespace basin
