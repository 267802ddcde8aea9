#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "program/process.h"

namespace basin::test {

/// Runs the basin program in a folder of its own that goes with the test.
class Program : public testing::Test {
 protected:
  Program();
  ~Program() override;

  /// `basin words...`
  Outcome basin(std::vector<std::string> words, ProcessOptions options = {}) const;
  /// Writes a file into the folder and returns its name.
  std::string write(const std::string& name, const std::string& text) const;
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::string bytes(const std::string& name) const;
  /// Names of the files in the folder, sorted.
  std::vector<std::string> files() const;

  /// Expects one line "basin: ..." on stderr with the given part, exit code 1, and nothing new in the folder.
  void expect_refusal(const std::vector<std::string>& words, const std::string& part,
                      ProcessOptions options = {}) const;

 private:
  std::filesystem::path folder_;
};

/// A quick experiment: PCD with momentum, centring and averaging on bars and stripes.
std::string small_experiment();

}  // namespace basin::test
