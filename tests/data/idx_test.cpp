#include "data/readers/idx.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "columns.h"
#include "data/catalog.h"
#include "data/readers/mnist.h"
#include "temporary.h"
#include "writers.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::gzip;
using test::idx_header;
using test::TemporaryFolder;
using test::write_file;

/// 3 x 5 x 100000 bytes that do not compress too well: several pieces of the reader's buffer.
std::string pixel_bytes() {
  std::string bytes;
  std::uint32_t state = 1;
  for (int i = 0; i < 1'500'000; ++i) {
    state = state * 1664525 + 1013904223;
    bytes.push_back(static_cast<char>(state >> 24 & 63));
  }
  return bytes;
}

class Idx : public testing::Test {
 protected:
  /// The error of reading these bytes as three dimensions; it must be one line that names the file.
  std::string error(const std::string& bytes) const {
    const std::string path = write_file(folder_ / "file", bytes);
    const std::string text = error_of([&] { read_idx(path, 3); });
    EXPECT_TRUE(text.empty() || contains(text, "[idx] " + path + ": ")) << text;
    EXPECT_FALSE(contains(text, "\n"));
    return text;
  }

  TemporaryFolder folder_;
  const std::string pixels_ = pixel_bytes(), header_ = idx_header(0x803, {3, 5, 100000}),
                    plain_ = header_ + pixels_, packed_ = gzip(plain_);
};

TEST_F(Idx, ReadsPlainAndGzip) {
  for (const std::string& bytes : {plain_, packed_}) {
    const IdxArray array = read_idx(write_file(folder_ / "file", bytes), 3);
    EXPECT_EQ(array.shape, (Shape{3, 5, 100000}));
    EXPECT_EQ(std::string(array.bytes.begin(), array.bytes.end()), pixels_);
  }
  EXPECT_EQ(read_idx(write_file(folder_ / "empty", idx_header(0x801, {0})), 1).shape, Shape{0});
  EXPECT_EQ(read_idx(write_file(folder_ / "empty.gz", gzip(idx_header(0x801, {0}))), 1).shape, Shape{0});
}

TEST_F(Idx, RefusesAnotherMagicNumber) {
  EXPECT_TRUE(contains(error(idx_header(0x801, {3})), "2051"));
  EXPECT_TRUE(contains(error("\x89PNG, or whatever"), "2051"));
  EXPECT_TRUE(contains(error(idx_header(0xD03, {3, 5, 1})), "2051"));  // floats
  EXPECT_NE(error(gzip("something else altogether")), "");
}

TEST_F(Idx, RefusesWhatIsCutShort) {
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{3}, std::size_t{15}, std::size_t{16}, plain_.size() - 1}) {
    EXPECT_TRUE(contains(error(plain_.substr(0, length)), "cut short")) << length;
  }
  for (const std::size_t length :
       {std::size_t{2}, std::size_t{17}, std::size_t{20}, packed_.size() / 2, packed_.size() - 1}) {
    EXPECT_TRUE(contains(error(packed_.substr(0, length)), "cut short")) << length;
  }
}

TEST_F(Idx, RefusesTrailingBytes) {
  EXPECT_NE(error(plain_ + "x"), "");
  EXPECT_NE(error(packed_ + "x"), "");
  EXPECT_NE(error(packed_ + packed_), "");  // a second member, same trailer
  EXPECT_TRUE(contains(error(packed_ + packed_), "after the end"));
  EXPECT_TRUE(contains(error(gzip(plain_ + "x")), "should inflate to 1500016"));
}

TEST_F(Idx, RefusesAHeaderThatLies) {
  EXPECT_TRUE(contains(error(idx_header(0x803, {4, 5, 100000}) + pixels_), "2000016"));
  EXPECT_TRUE(contains(error(idx_header(0x803, {2, 5, 100000}) + pixels_), "1000016"));
  EXPECT_TRUE(contains(error(gzip(idx_header(0x803, {4, 5, 100000}) + pixels_)), "2000016"));
  const std::vector<std::uint32_t> absurd = {0x80000000, 0x80000000, 7};
  EXPECT_TRUE(contains(error(idx_header(0x803, absurd) + pixels_), "absurd"));
  EXPECT_TRUE(contains(error(gzip(idx_header(0x803, absurd) + pixels_)), "absurd"));
  const std::vector<std::uint32_t> large = {0x80000000, 0x40000000, 2};  // fits 63 bits, and no memory
  EXPECT_NE(error(idx_header(0x803, large) + pixels_), "");
  EXPECT_NE(error(gzip(idx_header(0x803, large) + pixels_)), "");
}

TEST_F(Idx, RefusesAForgedTrailer) {
  std::string forged = gzip(idx_header(0x803, {4, 5, 100000}) + pixels_);
  for (std::size_t i = 0; i < 4; ++i)
    forged[forged.size() - 4 + i] = static_cast<char>(2'000'016 >> (8 * i) & 255);
  EXPECT_TRUE(contains(error(forged), "damaged"));  // zlib compares lengths at the end
}

TEST_F(Idx, RefusesABomb) {
  std::string bomb =
      gzip(header_ + pixels_ +
           std::string(50'000'000, '\0'));  // inflates to far more than its header and trailer say
  const auto claimed = static_cast<std::uint32_t>(plain_.size());
  for (std::size_t i = 0; i < 4; ++i) bomb[bomb.size() - 4 + i] = static_cast<char>(claimed >> (8 * i) & 255);
  EXPECT_TRUE(contains(error(bomb), "more bytes than its header states"));
}

TEST_F(Idx, RefusesDamage) {
  std::string damaged = packed_;
  damaged[packed_.size() - 6] = static_cast<char>(damaged[packed_.size() - 6] ^ 1);  // its checksum
  EXPECT_TRUE(contains(error(damaged), "damaged"));
  damaged = packed_;
  for (std::size_t i = 0; i < 50; ++i) damaged[packed_.size() / 2 + i] = static_cast<char>(0xFF);
  EXPECT_NE(error(damaged), "");
}

TEST_F(Idx, RefusesWhatIsNoFile) {
  EXPECT_TRUE(contains(error_of([&] { read_idx(folder_.path(), 3); }), "ordinary file"));
  EXPECT_TRUE(contains(error_of([&] { read_idx(folder_ / "nothing", 3); }), "nothing"));
}

TEST_F(Idx, MnistPairMustFit) {
  const std::string images =
      write_file(folder_ / "images", idx_header(0x803, {2, 28, 28}) + std::string(2 * 784, 'x'));
  const std::string labels = write_file(folder_ / "labels", idx_header(0x801, {2}) + std::string("\3\7", 2));
  const Samples samples = read_mnist(images, labels);
  EXPECT_EQ(samples.count, 2);
  EXPECT_EQ(test::labels_of(samples), (std::vector<int>{3, 7}));
  EXPECT_TRUE(contains(
      error_of([&] { read_mnist(images, write_file(folder_ / "l", idx_header(0x801, {1}) + "\3")); }),
      "2 images"));
  EXPECT_TRUE(contains(
      error_of([&] { read_mnist(images, write_file(folder_ / "l", idx_header(0x801, {2}) + "\3\x0b")); }),
      "received 11"));
  EXPECT_TRUE(
      contains(error_of([&] {
                 read_mnist(write_file(folder_ / "i", idx_header(0x803, {2, 2, 2}) + "12345678"), labels);
               }),
               "28 x 28"));
  EXPECT_NE(error_of([&] { read_mnist(labels, images); }), "");
}

TEST(Mnist, IsTheOfficialSet) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no real MNIST here";
  for (const RemoteFile& file : find_entry("mnist").files)
    EXPECT_NE(verify_file(find_entry("mnist"), file), "");
  const Dataset mnist = load_dataset("mnist");
  const auto counts = [](const Samples& samples) {
    std::vector<int> result(10);
    for (const int label : test::labels_of(samples)) ++result.at(static_cast<std::size_t>(label));
    return result;
  };
  EXPECT_EQ(mnist.train.shape(), (Shape{28, 28}));
  EXPECT_EQ(mnist.train.count, 60000);
  EXPECT_EQ(mnist.test.count, 10000);
  EXPECT_EQ(counts(mnist.train),
            (std::vector<int>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(counts(mnist.test), (std::vector<int>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  const double sum = std::accumulate(mnist.train.pixels().begin(), mnist.train.pixels().end(), 0.0);
  EXPECT_NEAR(sum / 255.0 / (60000.0 * 784), 0.13066, 5e-6);
  const Dataset part = load_dataset("mnist", {.train = 100, .test = 10});
  EXPECT_EQ(part.train.count, 100);
  EXPECT_EQ(test::labels_of(part.test), test::labels_of(mnist.test.head(10)));
  EXPECT_TRUE(contains(error_of([] { load_dataset("mnist", {.train = 70000}); }), "60000"));
}

}  // namespace
}  // namespace basin
