#include "data/readers/npy.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const fuzz::MemoryFile file(data, size);
  for (const Index classes : {Index{0}, Index{-1}})
    fuzz::expect_read_or_refusal([&] { read_npy(file.path(), {"x", classes}, fuzz::limit()); });
  return 0;
}
