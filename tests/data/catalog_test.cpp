#include "data/catalog.h"

#include <gtest/gtest.h>

#include "columns.h"
#include "results/files/sha256.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::TemporaryFolder;
using test::TemporaryVariable;
using test::write_file;

TEST(Catalog, NamesTheNearestDataSet) {
  EXPECT_EQ(find_entry("mnist").files.size(), 4u);
  EXPECT_TRUE(contains(error_of([] { find_entry("mnits"); }), "'mnist'"));
  EXPECT_TRUE(contains(error_of([] { load_dataset("stroke"); }), "'strokes'"));
  for (const CatalogEntry& entry : catalog()) {
    EXPECT_FALSE(entry.description.empty());
    for (const RemoteFile& file : entry.files) {
      EXPECT_EQ(file.sha256.size(), 64u);
      EXPECT_EQ(file.unpacked_sha256.size(), file.name.ends_with(".gz") ? 64u : 0u);
      EXPECT_TRUE(is_downloadable(entry) ? file.urls.size() >= 2 : !entry.by_hand.empty());
    }
  }
}

TEST(Catalog, FindsFilesInTheChosenFolder) {
  const TemporaryFolder folder;
  const TemporaryVariable data("BASIN_DATA", folder.path());
  EXPECT_EQ(data_folders(), (std::vector<std::string>{folder.path(), "data"}));
  const CatalogEntry entry{
      .name = "toy",
      .description = "",
      .folder = "toy",
      .files = {{.name = "toy-file.gz", .urls = {"https://localhost/toy-file.gz"}, .sha256 = ""}}};
  const std::string text = error_of([&] { locate(entry, entry.files[0]); });
  EXPECT_TRUE(contains(text, folder.path()) && contains(text, "basin data fetch toy") &&
              contains(text, "BASIN_DATA"))
      << text;
  for (const char* name :
       {"toy-file", "toy/toy-file", "toy-file.gz", "toy/toy-file.gz"}) {  // the later ones come first
    const std::string path = write_file(folder / name, "x");
    EXPECT_EQ(locate(entry, entry.files[0]), path);
  }
}

TEST(Catalog, VerifiesTheHashOfEitherForm) {
  const TemporaryFolder folder;
  const TemporaryVariable data("BASIN_DATA", folder.path());
  const std::string packed = sha256_file(write_file(folder / "a", "packed")),
                    plain = sha256_file(write_file(folder / "b", "plain"));
  const RemoteFile file{
      .name = "toy-file.gz", .urls = {}, .sha256 = packed, .bytes = 6, .unpacked_sha256 = plain};
  const CatalogEntry entry{.name = "toy", .description = "", .folder = "", .files = {file}};
  EXPECT_NE(error_of([&] { verify_file(entry, file); }), "");
  EXPECT_EQ(verify_file(entry, (write_file(folder / "toy-file", "plain"), file)), folder / "toy-file");
  EXPECT_EQ(verify_file(entry, (write_file(folder / "toy-file.gz", "packed"), file)), folder / "toy-file.gz");
  write_file(folder / "toy-file.gz", "forged");
  EXPECT_TRUE(contains(error_of([&] { verify_file(entry, file); }), "SHA-256"));
}

TEST(Catalog, MnistWithoutItsFilesSaysHowToGetThem) {
  const TemporaryFolder folder;
  const TemporaryVariable data("BASIN_DATA", folder.path());
  if (std::filesystem::exists("data/mnist")) GTEST_SKIP() << "MNIST lies in ./data";
  EXPECT_TRUE(contains(error_of([] { load_dataset("mnist"); }), "basin data fetch mnist"));
  write_file(folder / "mnist/train-images-idx3-ubyte.gz", "rubbish");
  write_file(folder / "mnist/train-labels-idx1-ubyte.gz", "rubbish");
  write_file(folder / "mnist/t10k-images-idx3-ubyte.gz", "rubbish");
  write_file(folder / "mnist/t10k-labels-idx1-ubyte.gz", "rubbish");
  EXPECT_TRUE(contains(error_of([] { load_dataset("mnist"); }), "magic number"));
}

TEST(LoadDataset, MakesTheEmbeddedSets) {
  const Dataset strokes = load_dataset("strokes", {.train = 30, .test = 20});
  EXPECT_EQ(strokes.train.count, 30);
  EXPECT_EQ(strokes.test.count, 20);
  EXPECT_NE(test::pixels_of(strokes.train.head(20)), test::pixels_of(strokes.test));
  EXPECT_EQ(test::pixels_of(load_dataset("strokes", {.train = 60, .test = 20}).train.head(30)),
            test::pixels_of(strokes.train));
  EXPECT_NE(test::pixels_of(load_dataset("strokes", {.train = 30, .test = 20, .seed = 1}).train),
            test::pixels_of(strokes.train));

  const Dataset bars = load_dataset("bars_and_stripes");
  EXPECT_EQ(bars.train.count, 30);
  EXPECT_EQ(test::pixels_of(bars.train), test::pixels_of(bars.test));
  EXPECT_EQ(load_dataset("bars_and_stripes", {.size = 3, .count_plain_twice = true}).train.count, 16);
  EXPECT_TRUE(contains(error_of([] { load_dataset("bars_and_stripes", {.train = 31}); }), "1 to 30"));

  const Dataset shifter = load_dataset("shifter", {.train = 50, .test = 5, .size = 10});
  EXPECT_EQ(shifter.train.shape(), (Shape{2, 10}));
  EXPECT_EQ(shifter.test.count, 5);
  EXPECT_NE(error_of([] { load_dataset("shifter", {.train = -1}); }), "");
}

}  // namespace
}  // namespace basin
