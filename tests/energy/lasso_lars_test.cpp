#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/sparse_problem.h"
#include "support/device.h"

/// Codes beside scikit-learn's lasso_lars, an exact solver, where a Python with scikit-learn is installed.
namespace basin::test {
namespace {

/// A Python that has scikit-learn; empty where there is none. PYTHON names another than the usual.
std::string python() {
  const char* named = std::getenv("PYTHON");
  for (const std::string& candidate :
       {std::string(named != nullptr ? named : "python3"), std::string("/usr/bin/python3")}) {
    if (std::system((candidate + " -c 'import sklearn' > /dev/null 2>&1").c_str()) == 0) return candidate;
  }
  return "";
}

void write(const std::filesystem::path& path, const std::vector<double>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(double)));
}

TEST(LassoCodes, EqualThoseOfLassoLars) {
  const std::string program = python();
  if (program.empty()) GTEST_SKIP() << "no Python with scikit-learn is installed";
  const SparseProblem problem = sparse_problem(30, 50, 25, 0.1, Domain::Real, f64());
  std::string pattern = (std::filesystem::temp_directory_path() / "basin_lars_XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path folder = pattern;
  write(folder / "dictionary", problem.dictionary);
  write(folder / "signals", problem.signals);
  std::ofstream(folder / "solve.py") << "import sys, numpy as np\n"
                                        "from sklearn.decomposition import sparse_encode\n"
                                        "d = np.fromfile(sys.argv[1] + '/dictionary').reshape(50, 30)\n"
                                        "y = np.fromfile(sys.argv[1] + '/signals').reshape(25, 30)\n"
                                        "sparse_encode(y, d, algorithm='lasso_lars', alpha=0.1, "
                                        "max_iter=5000).tofile(sys.argv[1] + '/codes')\n";
  const int status = std::system(
      (program + " " + (folder / "solve.py").string() + " " + folder.string() + " > /dev/null 2>&1").c_str());
  std::vector<double> codes(25 * 50);
  std::ifstream file(folder / "codes", std::ios::binary);
  file.read(reinterpret_cast<char*>(codes.data()),
            static_cast<std::streamsize>(codes.size() * sizeof(double)));
  const bool whole = static_cast<std::size_t>(file.gcount()) == codes.size() * sizeof(double);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(status == 0 && whole);

  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  for (const Transition* transition :
       {static_cast<const Transition*>(&descent), static_cast<const Transition*>(&fista)}) {
    const Inferred result = infer(problem.graph, problem.z, *transition, problem.clamped,
                                  {.max_steps = 20000, .tolerance = 1e-10}, Key(1));
    EXPECT_EQ(result.unconverged, 0);
    EXPECT_LT(largest_difference(result.state[problem.z].tensor().values(), codes), 1e-4);
  }
}

}  // namespace
}  // namespace basin::test
