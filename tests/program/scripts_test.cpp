// The scripts that people start with: what they install, and what tests/run.sh says in the end.
#include <gtest/gtest.h>

#include <cstdlib>

#include "program/program_fixture.h"
#include "support/contains.h"

namespace basin::test {
namespace {

class Scripts : public Program {
 protected:
  /// Runs commands of bash behind cmake/setup.sh on a system whose apt-get only writes down what it is asked
  /// for, into the file "asked", and where no package is installed.
  Outcome set_up(const std::string& commands, std::vector<std::string> environment = {}) const {
    std::filesystem::create_directories(path("bin"));
    for (const char* name : {"apt-get", "dpkg-query", "sudo"}) {
      const bool is_query = std::string(name) == "dpkg-query";
      const bool is_sudo = std::string(name) == "sudo";
      write(std::string("bin/") + name,
            std::string("#!/bin/bash\n") + (is_query  ? ""
                                            : is_sudo ? "\"$@\"\n"
                                                      : "echo \"$@\" >>'" + path("asked").string() + "'\n"));
      std::filesystem::permissions(path(std::string("bin/") + name), std::filesystem::perms::owner_all);
    }
    environment.push_back("PATH=" + path("bin").string() + ":" + std::getenv("PATH"));
    return run_process(
        {"/bin/bash", "-c", "set -euo pipefail; source '" BASIN_SOURCE "/cmake/setup.sh'; " + commands},
        {.folder = path("."), .environment = std::move(environment)});
  }
};

TEST_F(Scripts, PackagesThatAreMissingAreInstalled) {
  const Outcome outcome = set_up("install_packages \"${packages[@]}\"");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string asked = bytes("asked");
  EXPECT_TRUE(contains(asked, "install -y --no-install-recommends g++ cmake")) << asked;
  // Of the program alone: what the tests take beside it is asked for by tests/run.sh.
  EXPECT_FALSE(contains(asked, "libgtest-dev") || contains(asked, "libbenchmark-dev")) << asked;
}

TEST_F(Scripts, WhoeverSkipsPackagesNeedsNoRoot) {
  const Outcome outcome = set_up("install_packages \"${packages[@]}\"", {"BASIN_SKIP_PACKAGES=1"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(path("asked")));
}

TEST_F(Scripts, ARevisionThatIsUnknownIsSaid) {
  std::filesystem::create_directories(path("build/release/experiments"));
  std::filesystem::create_directories(path("bin"));
  write("bin/cmake", "#!/bin/bash\n");
  std::filesystem::permissions(path("bin/cmake"), std::filesystem::perms::owner_all);
  const auto said = [&](const char* revision) {
    write("build/release/experiments/revision.cpp", std::string("return \"") + revision + "\";\n");
    return set_up("build release").out;
  };
  EXPECT_TRUE(contains(said("unknown"), "give the program's revision as unknown"));
  EXPECT_FALSE(contains(said("a324a1d"), "unknown"));
}

TEST_F(Scripts, WhatWasSkippedIsSaidOnceAReasonWithItsTests) {
  write("log", R"(22/23 Testing: results
[ RUN      ] Store.H5pyReads
../../tests/results/store_test.cpp:213: Skipped
h5py is not installed (package python3-h5py)

[  SKIPPED ] Store.H5pyReads (0 ms)
[       OK ] Store.Other (0 ms)
[ RUN      ] Plot.Valid
../../tests/results/plot_test.cpp:90: Skipped
xmllint is not installed
(package libxml2-utils)

[  SKIPPED ] Plot.Valid (3 ms)
[  SKIPPED ] 2 tests, listed below:
[  SKIPPED ] Store.H5pyReads
[  SKIPPED ] Plot.Valid
23/23 Testing: results.guard
../../tests/results/store_test.cpp:213: Skipped
h5py is not installed (package python3-h5py)

[  SKIPPED ] Store.H5pyReads (0 ms)
)");
  write("none", "[       OK ] Store.Other (0 ms)\n");
  const auto said = [&](const char* log) {
    return run_process({"/bin/bash", BASIN_SOURCE "/tests/checks/skipped.sh", log}, {.folder = path(".")})
        .out;
  };
  EXPECT_EQ(said("log"),
            "Skipped, and why:\n"
            "  h5py is not installed (package python3-h5py): Store.H5pyReads (2 times)\n"
            "  xmllint is not installed (package libxml2-utils): Plot.Valid\n");
  EXPECT_EQ(said("none"), "Nothing was skipped.\n");
}

}  // namespace
}  // namespace basin::test
