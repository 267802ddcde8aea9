// Sizes that come from outside: no arithmetic overflows, and memory is asked for before it is taken.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <limits>

#include "config/config.h"
#include "data/catalog.h"
#include "data/images/contrast.h"
#include "data/images/crops.h"
#include "data/import_limit.h"
#include "data/readers/hdf5_rows.h"
#include "data/readers/idx.h"
#include "data/readers/npy.h"
#include "results/hdf5/store.h"
#include "results/pictures/picture.h"
#include "temporary.h"
#include "tensor/checked.h"
#include "writers.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::TemporaryFolder;
using test::write_file;

constexpr Index kMost = std::numeric_limits<Index>::max();
constexpr std::uint64_t kMebibyte = 1 << 20;

/// Of a table [data].
std::string error_of_data(const std::string& table) {
  return error_of([&] {
    const Config config = Config::parse("[data]\n" + table);
    const DatasetChoice choice = read_dataset(config.table("data"));
    config.finish();
    load_dataset(choice.name, choice.options);
  });
}

TEST(Limits, CheckedArithmeticKnowsItsEdges) {
  EXPECT_EQ(checked_add<Index>(kMost - 1, 1), kMost);
  EXPECT_FALSE(checked_add<Index>(kMost, 1));
  EXPECT_EQ(checked_product<Index>({kMost, 1, 1}), kMost);
  EXPECT_FALSE(checked_product<Index>({Index{1} << 32, Index{1} << 31}));
  EXPECT_EQ(checked_product<std::uint64_t>({}), 1u);
  EXPECT_TRUE(fits_into<Index>(10, 4, 2, 3));
  EXPECT_FALSE(fits_into<Index>(9, 4, 2, 3));
  EXPECT_FALSE(fits_into<Index>(kMost, 4, 2, kMost));
  EXPECT_FALSE(fits_into<Index>(kMost, kMost, 2, kMost / 2));
}

TEST(Limits, TheImportLimitCountsAllThatIsKept) {
  const ImportLimit limit(10 * kMebibyte), copy = limit;
  limit.take("[x] a", 4 * kMebibyte, 6 * kMebibyte);
  copy.take("[x] b", 5 * kMebibyte);
  const std::string error = error_of([&] { limit.take("[x] c", kMebibyte, kMebibyte); });
  EXPECT_TRUE(contains(error, "[x] c: needs 2.0 MiB of memory beside the 9.0 MiB that are taken")) << error;
  EXPECT_TRUE(contains(error, "import limit of 10.0 MiB")) << error;
  EXPECT_TRUE(contains(error, "data.import_limit")) << error;
  limit.take("[x] d", kMebibyte);
  EXPECT_NE(error_of([&] { limit.take("[x] e", std::nullopt); }), "");
  EXPECT_NE(error_of([&] { limit.take("[x] f", std::numeric_limits<std::uint64_t>::max(), 2); }), "");
  EXPECT_GT(ImportLimit().bytes(), 64 * kMebibyte);
}

TEST(Limits, CropsOfAnyMarginSizeAndCount) {
  const ImageStack images{{"a", Tensor::zeros({20, 30})}};
  for (const Index margin : {Index{9}, kMost / 2, kMost / 2 + 1, kMost - 3, kMost}) {
    const std::string error = error_of([&] { crops(images, Key(1), 2, {.size = 4, .margin = margin}); });
    EXPECT_TRUE(contains(error, "smaller than a crop")) << error;
  }
  EXPECT_NE(error_of([&] { crops(images, Key(1), 2, {.size = kMost}); }), "");
  EXPECT_EQ(crops(images, Key(1), 2, {.size = 4, .margin = 8}).shape(), (Shape{2, 4, 4}));
  for (const Index count : {kMost, kMost / 64, Index{1} << 40}) {
    const std::string error = error_of([&] { crops(images, Key(1), count, {.size = 4}); });
    EXPECT_TRUE(contains(error, "import limit")) << error;
  }
}

TEST(Limits, AWindowBeyondTheImageTakesNoMemory) {
  Tensor image({6, 9});
  for (Index i = 0; i < image.size(); ++i) image.host<float>()[i] = static_cast<float>(i * i % 23);
  const std::vector<double> wide = local_contrast(image, {.window = 21, .deviation = 3.0}).values();
  for (const Index window : {Index{99'999'999'999}, kMost})
    EXPECT_EQ(local_contrast(image, {.window = window, .deviation = 3.0}).values(), wide);
}

TEST(Limits, CountsThatNoMachineHoldsAreErrors) {
  for (const char* name : {"strokes", "shifter", "sparse_signals", "leaves"}) {
    const auto error = [&](const std::string& count) {
      return error_of_data(std::string("name = \"") + name +
                           "\"\nimport_limit = 1000\ntest = 5\ntrain = " + count);
    };
    for (const char* count : {"9223372036854775807", "1152921504606846976", "1000000001"}) {
      EXPECT_TRUE(contains(error(count), "at most 1000000000")) << name << ' ' << error(count);
      EXPECT_TRUE(contains(error(count), count)) << name << ' ' << error(count);
    }
    EXPECT_TRUE(contains(error("1000000000"), "import limit")) << name << ' ' << error("1000000000");
    EXPECT_TRUE(contains(error("1000000000"), "1000000000")) << name << ' ' << error("1000000000");
  }
  EXPECT_TRUE(contains(error_of_data("name = \"sparse_signals\"\nsize = 1000000000"), "data.size"));
  EXPECT_TRUE(contains(error_of_data("name = \"shifter\"\nsize = 1000000000"), "4096"));
  EXPECT_TRUE(contains(error_of_data("name = \"leaves\"\npatches = { size = 1000000000 }"), "2048"));
  EXPECT_TRUE(contains(error_of_data("name = \"bars_and_stripes\"\nvalidation = 1e300"), "1e+300"));
}

TEST(Limits, TheKeySetsTheLimit) {
  const std::string table = "name = \"strokes\"\ntrain = 2000\ntest = 10\n";
  const std::string error = error_of_data(table + "import_limit = 1");
  EXPECT_TRUE(contains(error, "import limit of 1.0 MiB") && contains(error, "data.train = 2000")) << error;
  EXPECT_EQ(error_of_data(table + "import_limit = 2"), "");
  EXPECT_TRUE(contains(error_of_data(table + "import_limit = 9223372036854775807"), "import_limit"));
  EXPECT_TRUE(contains(error_of_data(table + "import_limit = 0"), "at least 1"));
}

TEST(Limits, ReadersAskBeforeTheyTake) {
  const TemporaryFolder folder;
  const ImportLimit small(kMebibyte);
  const auto refused = [&](auto read) {
    const std::string error = error_of(read);
    return contains(error, "import limit of 1.0 MiB") && contains(error, folder.path());
  };
  const std::string zeros(4'000'000, '\0');
  const std::string idx = test::idx_header(0x803, {4, 1000, 1000}) + zeros;
  const std::string plain = write_file(folder / "a-idx3-ubyte", idx),
                    packed = write_file(folder / "a-idx3-ubyte.gz", test::gzip(idx)),
                    npy = write_file(folder / "a.npy", test::npy("<f4", "(1000000,)", zeros));
  EXPECT_TRUE(refused([&] { read_idx(plain, 3, small); }));
  EXPECT_TRUE(refused([&] { read_idx(packed, 3, small); }));
  EXPECT_TRUE(refused([&] { read_npy(npy, {"x"}, small); }));
  EXPECT_TRUE(refused([&] { read_images(packed, "", small); }));
  Store store;
  store.put("x", Tensor::zeros({10, 200, 300}));
  store.save(folder / "a.h5");
  EXPECT_TRUE(refused([&] { read_images(folder / "a.h5", "", small); }));
  EXPECT_TRUE(refused([&] { read_hdf5(folder / "a.h5", "x", {"x"}, 1 << 30, small); }));
  EXPECT_EQ(error_of([&] { read_hdf5(folder / "a.h5", "x", {"x"}, 0, small); }), "") << "stays in its file";
  save_png({1000, 1000, 1, std::vector<std::uint8_t>(1'000'000)}, folder / "a.png");
  ASSERT_LT(std::filesystem::file_size(folder / "a.png"), 20'000u);
  EXPECT_TRUE(refused([&] { read_images(folder / "a.png", "", small); }));
  for (const char* name : {"set/a.png", "set/b.png", "set/c.png"})
    write_file(folder / name, test::read_file(folder / "a.png"));
  EXPECT_EQ(read_images(folder / "set", "", ImportLimit(32 * kMebibyte)).size(), 3u);
  EXPECT_TRUE(
      contains(error_of([&] { read_images(folder / "set", "", ImportLimit(16 * kMebibyte)); }), "c.png"))
      << "pictures of a folder count together";
}

std::uint64_t most_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

TEST(Limits, AFileThatLiesCostsNoMoreThanItHolds) {
  const TemporaryFolder folder;
  std::string noise;
  for (std::uint32_t i = 0, state = 1; i < 1'500'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise.push_back(static_cast<char>(state >> 24));
  }
  const std::uint32_t claimed = 1'000'000'000, total = claimed + 8;
  std::string packed = test::gzip(test::idx_header(0x801, {claimed}) + noise);
  for (std::size_t i = 0; i < 4; ++i)
    packed[packed.size() - 4 + i] = static_cast<char>(total >> (8 * i) & 255);
  const std::string path = write_file(folder / "lies.gz", packed);
  const std::uint64_t before = most_memory();
  EXPECT_TRUE(contains(error_of([&] { read_idx(path, 1); }), "damaged"));
  EXPECT_LT(most_memory() - before, 200 * kMebibyte);
}

}  // namespace
}  // namespace basin
