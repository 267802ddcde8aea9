#include "data/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "data/catalog.h"

namespace basin {
namespace {

Dataset of(Samples samples, const std::string& name = "own") {
  Dataset data;
  data.name = name;
  data.train = std::move(samples);
  return data;
}

/// Bytes behind a reader, three rows a block.
class Rows final : public RowReader {
 public:
  explicit Rows(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  Index block() const override { return 3; }
  void read(Index begin, Index end, void* out) const override {
    std::copy_n(bytes_.begin() + 2 * begin, 2 * (end - begin), static_cast<std::uint8_t*>(out));
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

TEST(Digest, TellsApartWhateverDiffers) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7, 8};
  const Column pixels = byte_column("x", {2}, bytes);
  const Column labels = integer_column("label", {}, {0, 1, 1, 0}, 2);
  Dataset tested = of({pixels});
  tested.test = tested.train;
  Dataset validated = of({pixels});
  validated.validation = validated.train;
  const std::set<std::string> digests{
      digest(of({pixels})),
      digest(of({pixels.named("y")})),
      digest(of({byte_column("x", {1, 2}, bytes)})),
      digest(of({byte_column("x", {2}, {1, 2, 3, 4, 5, 6, 7, 9})})),
      digest(of({pixels.head(3)})),
      digest(of({pixels, labels})),
      digest(of({labels, pixels})),
      digest(of({pixels, integer_column("label", {}, {0, 1, 1, 0}, 3)})),
      digest(of({real_column("x", Tensor::from(std::vector<float>{1, 2}, {2}))})),
      digest(of({real_column("x", Tensor::from(std::vector<float>{1, 2}, {2}, {Dtype::F64}))})),
      digest(tested),
      digest(validated)};
  EXPECT_EQ(digests.size(), 12u);
}

TEST(Digest, IsOfTheSamplesAloneWhereverTheyAre) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7, 8};
  const Column pixels = byte_column("x", {2}, bytes);
  const std::string own = digest(of({pixels}));
  EXPECT_EQ(own.size(), 64u);
  EXPECT_EQ(digest(of({stored_column(pixels, 4, std::make_shared<Rows>(bytes))})), own);
  EXPECT_EQ(digest(of({pixels.picked(std::vector<Index>{0, 1, 2, 3})})), own);
  const DatasetOptions few{.train = 100, .test = 10, .labels = 20}, all{.train = 100, .test = 10};
  EXPECT_EQ(digest(load_dataset("strokes", few)), digest(load_dataset("strokes", all)));
}

TEST(Digest, IsCheap) {
  const Dataset data = of({byte_column("image", {28, 28}, std::vector<std::uint8_t>(60'000 * 784, 7))});
  const auto start = std::chrono::steady_clock::now();
  digest(data);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  RecordProperty("seconds", std::to_string(seconds.count()));
  EXPECT_LT(seconds.count(), 3.0);  // 0.2 s on two busy cores
}

}  // namespace
}  // namespace basin
