#include "fuzz.h"
#include "results/results_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const fuzz::MemoryFile file(data, size);
  return fuzz::expect_read_or_refusal([&] { load_results(file.path()); });
}
