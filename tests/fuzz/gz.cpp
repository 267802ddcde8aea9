// Any bytes as a gzip file, inflated to their end.
#include <array>

#include "data/readers/byte_source.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  std::string bytes("\x1f\x8b", 2);  // so that it is taken for one
  bytes.append(reinterpret_cast<const char*>(data), size);
  const fuzz::MemoryFile file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return fuzz::expect_read_or_refusal([&] {
    const auto source = open_bytes("gz", file.path());
    std::array<std::uint8_t, 100> piece{};
    for (int i = 0; i < 10'000; ++i) source->read(piece, "the data");
    source->finish();
  });
}
