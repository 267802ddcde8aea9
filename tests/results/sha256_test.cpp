#include "results/files/sha256.h"

#include <gtest/gtest.h>

#include "results/folder.h"
#include "tensor/error.h"

namespace basin {
namespace {

TEST(Sha256, OfKnownTexts) {  // FIPS 180-2, appendix B
  const test::Folder folder;
  folder.write("a", "abc");
  folder.write("b", "");
  folder.write("c", std::string(1'000'000, 'a'));
  EXPECT_EQ(sha256_file(folder / "a"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_file(folder / "b"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_file(folder / "c"), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_THROW(sha256_file(folder / "d"), Error);
}

}  // namespace
}  // namespace basin
