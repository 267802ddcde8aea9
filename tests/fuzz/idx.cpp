#include "data/readers/idx.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const fuzz::MemoryFile file(data, size);
  return fuzz::expect_read_or_refusal([&] { read_idx(file.path(), 0, fuzz::limit()); });
}
