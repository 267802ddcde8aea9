#include "data/readers/csv.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace basin;
  const fuzz::MemoryFile file(data, size);
  for (const bool header : {false, true}) {
    fuzz::expect_read_or_refusal([&] {
      ClassNames names;
      read_csv(file.path(), {{"x", "*"}, {"label", "1", ColumnKind::Reals, -1}}, {.header = header}, names,
               fuzz::limit());
    });
  }
  return 0;
}
