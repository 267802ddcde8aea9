#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>
#include <armadillo>
#include <set>
#include <string>

#include "tensor/threads.h"

extern "C" int openblas_get_parallel(void);
extern "C" int openblas_get_num_threads(void);
extern "C" int omp_get_max_threads(void);
extern "C" int omp_get_num_procs(void);

namespace {

std::set<std::string> loaded_libraries() {
  std::set<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        const std::string path = info->dlpi_name;
        static_cast<std::set<std::string>*>(data)->insert(path.substr(path.rfind('/') + 1));
        return 0;
      },
      &names);
  return names;
}

int count_with_prefix(const std::set<std::string>& names, const std::string& prefix) {
  int count = 0;
  for (const std::string& name : names) {
    count += name.starts_with(prefix) ? 1 : 0;
  }
  return count;
}

TEST(Libraries, OneOpenBlasInItsOpenmpBuild) {
  EXPECT_EQ(openblas_get_parallel(), 2);
  const std::set<std::string> names = loaded_libraries();
  EXPECT_EQ(count_with_prefix(names, "libopenblas"), 1);
  EXPECT_EQ(count_with_prefix(names, "libblas.so") + count_with_prefix(names, "liblapack.so"), 0);
  EXPECT_EQ(count_with_prefix(names, "libarmadillo"), 0);
}

TEST(Libraries, OneSwitchSetsTheThreadsOfAll) {
  const int before = basin::thread_count();
  for (const int threads : {3, 2}) {
    basin::set_thread_count(threads);
    EXPECT_EQ(omp_get_max_threads(), threads);
    // A product makes OpenBLAS ask OpenMP for its number of threads (of 1 it keeps no record).
    const arma::mat product = arma::mat(300, 300, arma::fill::ones) * arma::mat(300, 300, arma::fill::ones);
    EXPECT_DOUBLE_EQ(product(299, 299), 300.0);
    // From 0.3.29 on it takes no more than there are processors.
    const int given = openblas_get_num_threads();
    EXPECT_TRUE(given == threads || given == std::min(threads, omp_get_num_procs()))
        << given << " of " << threads;
  }
  basin::set_thread_count(before);
}

TEST(Libraries, ArmadilloReachesLapack) {
  const arma::mat symmetric = {{2.0, 1.0}, {1.0, 2.0}};
  const arma::vec values = arma::eig_sym(symmetric);
  EXPECT_NEAR(values(0), 1.0, 1e-14);
  EXPECT_NEAR(values(1), 3.0, 1e-14);
}

}  // namespace
