#include "data/images/patches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "data/catalog.h"
#include "data/fetch.h"
#include "data/images/crops.h"
#include "results/pictures/picture.h"
#include "support/device.h"
#include "support/numbers.h"
#include "temporary.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

/// A picture whose every pixel has a value of its own: 1000 image + 100 row + column.
Image numbered(int image, Index height, Index width) {
  const Tensor pixels({height, width});
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x)
      pixels.host<float>()[y * width + x] = static_cast<float>(1000 * image + 100 * y + x);
  }
  return {"picture " + std::to_string(image), pixels};
}

Image noise(std::uint64_t seed, Index height, Index width) {
  return {"noise " + std::to_string(seed),
          Tensor::from(std::span<const double>(test::numbers(height * width, seed)), {height, width})};
}

TEST(Crops, ArePiecesOfTheImages) {
  const ImageStack images = {numbered(0, 9, 9), numbered(1, 7, 30)};
  const Tensor pieces = crops(images, Key(1), 3000, {.size = 4});
  ASSERT_EQ(pieces.shape(), (Shape{3000, 4, 4}));
  std::set<int> corners;
  double second = 0;
  for (Index n = 0; n < 3000; ++n) {
    const float* piece = pieces.host<float>() + n * 16;
    const int corner = static_cast<int>(piece[0]), image = corner / 1000, row = corner % 1000 / 100,
              column = corner % 100;
    ASSERT_TRUE(row + 4 <= (image == 0 ? 9 : 7) && column + 4 <= (image == 0 ? 9 : 30));
    for (int p = 0; p < 16; ++p) ASSERT_EQ(piece[p], static_cast<float>(corner + 100 * (p / 4) + p % 4));
    corners.insert(corner);
    second += image;
  }
  // 6 x 6 and 4 x 27 places, all equally likely.
  EXPECT_EQ(corners.size(), 36u + 108u);
  EXPECT_NEAR(second / 3000, 108.0 / 144, 3.5 * std::sqrt(0.75 * 0.25 / 3000));
}

TEST(Crops, SampleIsAFunctionOfItsNumberAlone) {
  const ImageStack images = {noise(1, 40, 50), noise(2, 30, 30)};
  const int before = thread_count();
  set_thread_count(2);
  const std::vector<double> many = crops(images, Key(5), 4000, {.size = 5}).values();
  set_thread_count(1);
  EXPECT_EQ(crops(images, Key(5), 4000, {.size = 5}).values(), many);
  set_thread_count(before);
  const std::vector<double> few = crops(images, Key(5), 10, {.size = 5}).values();
  EXPECT_EQ(few, std::vector<double>(many.begin(), many.begin() + 250));
  EXPECT_NE(crops(images, Key(6), 10, {.size = 5}).values(), few);
}

TEST(Crops, LeaveTheMarginAlone) {
  const Tensor pieces = crops({numbered(0, 20, 20)}, Key(1), 500, {.size = 6, .margin = 3});
  for (Index n = 0; n < 500; ++n) {
    const int corner = static_cast<int>(pieces.host<float>()[n * 36]);
    ASSERT_TRUE(corner / 100 >= 3 && corner / 100 <= 11 && corner % 100 >= 3 && corner % 100 <= 11);
  }
}

TEST(Crops, DrawFlatOnesAnew) {
  // Left half flat, right half a chessboard with variance 1 / 4.
  const Tensor pixels = Tensor::zeros({16, 64});
  for (Index y = 0; y < 16; ++y) {
    for (Index x = 32; x < 64; ++x) pixels.host<float>()[y * 64 + x] = static_cast<float>((x + y) % 2);
  }
  const ImageStack images = {{"halves", pixels}};
  const auto flat = [&](double least) {
    const Tensor pieces = crops(images, Key(2), 300, {.size = 4, .least_variance = least});
    Index count = 0;
    for (Index n = 0; n < 300; ++n) {
      const std::vector<double> piece = pieces.rows(n, n + 1).values();
      count += std::ranges::count(piece, piece[0]) == 16 ? 1 : 0;
    }
    return count;
  };
  EXPECT_GT(flat(0.0), 100);
  EXPECT_EQ(flat(0.2), 0);
  EXPECT_TRUE(contains(error_of([&] { flat(0.3); }), "least_variance"));
}

TEST(Crops, NameTheImageThatIsTooSmall) {
  const ImageStack images = {numbered(0, 20, 20), numbered(1, 20, 9)};
  EXPECT_TRUE(contains(error_of([&] { crops(images, Key(1), 5, {.size = 10}); }), "picture 1: has 20 x 9"));
  EXPECT_TRUE(contains(error_of([&] { crops(images, Key(1), 5, {.size = 6, .margin = 2}); }), "picture 1"));
  EXPECT_EQ(error_of([&] { crops(images, Key(1), 5, {.size = 9}); }), "");
  EXPECT_NE(error_of([&] { crops({}, Key(1), 5); }), "");
  EXPECT_NE(error_of([&] { crops(images, Key(1), -5); }), "");
}

double mean_of(const float* values, Index count) {
  double sum = 0;
  for (Index p = 0; p < count; ++p) sum += static_cast<double>(values[p]);
  return sum / static_cast<double>(count);
}

TEST(PatchDataset, TestPatchesComeFromOtherImages) {
  ImageStack images;
  for (int i = 0; i < 11; ++i) images.push_back({"flat", Tensor::full({20, 20}, i)});
  const PatchOptions plain{.size = 5, .remove_mean = false, .unit_variance = false};
  const auto levels = [](const Samples& samples) {
    const std::vector<double> values = samples.values().values();
    return std::set<double>(values.begin(), values.end());
  };
  const Dataset many = patch_dataset("x", images, Key(1), 500, 200, plain);
  EXPECT_EQ(levels(many.test), (std::set<double>{2, 7}));
  EXPECT_EQ(levels(many.train), (std::set<double>{0, 1, 3, 4, 5, 6, 8, 9, 10}));
  images.resize(2);
  const Dataset two = patch_dataset("x", images, Key(1), 50, 20, plain);
  EXPECT_EQ(levels(two.train), (std::set<double>{0}));
  EXPECT_EQ(levels(two.test), (std::set<double>{1}));
  const Dataset one = patch_dataset("x", {numbered(0, 30, 30)}, Key(1), 400, 100, plain);
  EXPECT_EQ(*levels(one.train).rbegin(), 2329);  // rows 0 to 23
  EXPECT_EQ(*levels(one.test).begin(), 2400);    // rows 24 to 29
  EXPECT_TRUE(one.train.is_real());
  EXPECT_EQ(one.train.shape(), (Shape{5, 5}));
  EXPECT_EQ(one.test.count, 100);
}

TEST(PatchDataset, HasTheAdvertisedNumbers) {
  const ImageStack images = {noise(1, 80, 80), noise(2, 80, 80)};
  const Dataset small = patch_dataset("x", images, Key(1), 0, 0, {.size = 4});
  EXPECT_EQ(small.train.count, 50'000);
  EXPECT_EQ(small.test.count, 10'000);
  const Dataset large = patch_dataset("x", images, Key(1), 0, 0, {.size = 60});
  EXPECT_EQ(large.train.count, 2000);
  EXPECT_EQ(large.test.count, 400);
}

TEST(PatchDataset, RemovesMeansAndHasUnitVariance) {
  const ImageStack images = {numbered(0, 40, 40), noise(3, 40, 40)};
  const Dataset data = patch_dataset("x", images, Key(1), 300, 50, {.size = 6});
  double squares = 0;
  for (Index n = 0; n < 300; ++n)
    EXPECT_NEAR(mean_of(data.train.values().host<float>() + n * 36, 36), 0, 1e-5);
  for (const double value : data.train.values().values()) squares += value * value;
  EXPECT_NEAR(squares / (300 * 36), 1, 1e-5);
  // The picture of a sample is its patch without mean: neighbours in a row of `numbered` differ by 1.
  const Tensor patches = patches_of_samples(data.preprocessing, data.train.values());
  EXPECT_EQ(patches.shape(), (Shape{300, 6, 6}));
  for (Index n = 0; n < 300; ++n)
    EXPECT_NEAR(patches.host<float>()[n * 36 + 1] - patches.host<float>()[n * 36], 1, 1e-3);
}

TEST(PatchDataset, PatchContrast) {
  ImageStack images = {noise(1, 40, 40), noise(2, 40, 40)};
  for (Index p = 0; p < 800; ++p)
    images[0].pixels.host<float>()[p] *= 10;  // the upper half has ten times the contrast
  const Dataset data = patch_dataset("x", images, Key(1), 2000, 10,
                                     {.size = 8, .contrast = ContrastNorm::Patch, .unit_variance = false});
  for (Index n = 0; n < data.train.count; ++n) {
    double squares = 0;
    for (Index p = 0; p < 64; ++p) squares += std::pow(data.train.values().host<float>()[n * 64 + p], 2);
    EXPECT_GT(squares / 64, 0.25);  // before: 1 to 100
    EXPECT_LT(squares / 64, 1.0);
  }
}

/// Local contrast normalisation as the formula says, window by window.
std::vector<double> plain_local_contrast(const Image& image, Index radius, double deviation) {
  const Index height = image.pixels.dim(0), width = image.pixels.dim(1);
  const auto weighted = [&](const std::vector<double>& x, Index i, Index j) {
    double sum = 0, norm = 0;
    for (Index p = -radius; p <= radius; ++p) {
      for (Index q = -radius; q <= radius; ++q) {
        if (i + p < 0 || i + p >= height || j + q < 0 || j + q >= width) continue;
        const double w = std::exp(-static_cast<double>(p * p + q * q) / (2 * deviation * deviation));
        sum += w * x[static_cast<std::size_t>((i + p) * width + j + q)];
        norm += w;
      }
    }
    return sum / norm;
  };
  const std::vector<double> x = image.pixels.values();
  std::vector<double> v(x.size()), squares(x.size()), s(x.size());
  const auto for_all = [&](auto&& body) {
    for (Index i = 0; i < height; ++i) {
      for (Index j = 0; j < width; ++j) body(static_cast<std::size_t>(i * width + j), i, j);
    }
  };
  for_all([&](std::size_t k, Index i, Index j) { v[k] = x[k] - weighted(x, i, j); });
  for (std::size_t k = 0; k < v.size(); ++k) squares[k] = v[k] * v[k];
  double c = 0;
  for_all([&](std::size_t k, Index i, Index j) {
    c += (s[k] = std::sqrt(weighted(squares, i, j))) / static_cast<double>(x.size());
  });
  for (std::size_t k = 0; k < v.size(); ++k) v[k] /= std::max(c, s[k]);
  return v;
}

TEST(LocalContrast, IsTheFormula) {
  Image image = noise(7, 21, 30);
  for (Index p = 0; p < 200; ++p)
    image.pixels.host<float>()[p] = 3.0f + 0.01f * image.pixels.host<float>()[p];  // some of it nearly flat
  for (const auto& [window, deviation] : {std::pair<Index, double>{9, 2.25}, {5, 1.25}, {27, 6.75}}) {
    const std::vector<double> expected = plain_local_contrast(image, window / 2, deviation);
    const std::vector<double> found = local_contrast(image.pixels, {.window = window}).values();
    for (std::size_t k = 0; k < found.size(); ++k) ASSERT_NEAR(found[k], expected[k], 2e-5) << window;
  }
  EXPECT_EQ(local_contrast(Tensor::full({8, 8}, 0.3)).values(), std::vector<double>(64, 0.0));
  EXPECT_NE(error_of([&] { local_contrast(image.pixels, {.window = 8}); }), "");
  EXPECT_NE(error_of([&] { local_contrast(image.pixels, {.window = 1}); }), "");
}

TEST(LocalContrast, IsAppliedToWholeImages) {
  const ImageStack images = {noise(1, 30, 30), noise(2, 30, 30)};
  const PatchOptions options{
      .size = 29, .remove_mean = false, .contrast = ContrastNorm::Local, .window = 5, .unit_variance = false};
  const Dataset data = patch_dataset("x", images, Key(1), 1, 1, options);
  const std::vector<double> whole = local_contrast(images[0].pixels, {.window = 5}).values();
  const double first = data.train.values().values()[0];
  EXPECT_TRUE(std::ranges::find(whole, first) != whole.end());
  EXPECT_NE(error_of([&] {
              patch_dataset("x", images, Key(1), 1, 1, {.contrast = ContrastNorm::Local, .window = 4});
            }),
            "");
}

TEST(PatchDataset, WhitensAndShowsWhatWasWhitened) {
  const ImageStack images = {noise(1, 60, 60), noise(2, 60, 60)};
  const Dataset plain = patch_dataset("x", images, Key(1), 3000, 100, {.size = 6, .unit_variance = false});
  for (const Whiten whiten : {Whiten::Pca, Whiten::Zca}) {
    const Dataset white =
        patch_dataset("x", images, Key(1), 3000, 100, {.size = 6, .whiten = whiten, .epsilon = 0.0});
    EXPECT_EQ(white.train.shape(),
              (whiten == Whiten::Pca ? Shape{35} : Shape{6, 6}));  // the mean does not vary
    for (const auto& [samples, patches] :
         {std::pair{white.train, plain.train}, std::pair{white.test, plain.test}}) {
      const std::vector<double> shown = patches_of_samples(white.preprocessing, samples.values()).values(),
                                wanted = patches.values().values();
      for (std::size_t i = 0; i < shown.size(); ++i) ASSERT_NEAR(shown[i], wanted[i], 2e-5);
    }
    // An atom of a dictionary is shown without the mean; a filter answers to samples as its picture does
    // to patches.
    const Tensor atom = white.train.values().rows(0, 1);
    const std::vector<double> direction = patches_of_atoms(white.preprocessing, atom).values();
    const std::vector<double> mean = white.preprocessing.whitening.mean.values(),
                              first = plain.train.values().rows(0, 1).values();
    const std::vector<double> filter = patches_of_filters(white.preprocessing, atom).values(),
                              code = atom.values();
    double answer = 0, shown_answer = 0;
    for (std::size_t p = 0; p < first.size(); ++p) {
      EXPECT_NEAR(direction[p], first[p] - mean[p], 2e-5);
      shown_answer += filter[p] * (first[p] - mean[p]);
    }
    for (const double value : code) answer += value * value;
    EXPECT_NEAR(shown_answer, answer, 1e-3 * answer);
  }
}

TEST(PatchDataset, RefusesWhatMakesNoSense) {
  const ImageStack images = {noise(1, 20, 20), noise(2, 20, 20)};
  EXPECT_TRUE(
      contains(error_of([&] { patch_dataset("x", images, Key(1), 10, 10, {.size = 21}); }), "noise 1"));
  EXPECT_NE(error_of([&] { patch_dataset("x", images, Key(1), 10, 10, {.size = 1}); }), "");
  EXPECT_NE(error_of([&] { patch_dataset("x", images, Key(1), 10, 10, {.epsilon = -1}); }), "");
  EXPECT_NE(error_of([&] { patch_dataset("x", {}, Key(1), 10, 10); }), "");
  const ImageStack flat = {{"a", Tensor::full({20, 20}, 0.5)}, {"b", Tensor::full({20, 20}, 0.5)}};
  EXPECT_TRUE(contains(error_of([&] { patch_dataset("x", flat, Key(1), 10, 10); }), "flat"));
  EXPECT_TRUE(contains(error_of([&] { patch_dataset("x", flat, Key(1), 10, 10, {.whiten = Whiten::Zca}); }),
                       "differ"));
}

TEST(LoadDataset, PatchesOfOnesOwnImages) {
  const test::TemporaryFolder folder;
  std::vector<std::uint8_t> pixels;
  for (std::size_t p = 0; p < 30 * 40; ++p) pixels.push_back(static_cast<std::uint8_t>(p * p / 7));
  save_png({.width = 40, .height = 30, .channels = 1, .pixels = pixels}, folder / "a.png");
  save_png({.width = 30, .height = 40, .channels = 1, .pixels = pixels}, folder / "b.png");
  const Dataset data =
      load_dataset("images", {.train = 20, .test = 10, .patches = {.size = 9}, .path = folder.path()});
  EXPECT_EQ(data.train.shape(), (Shape{9, 9}));
  EXPECT_EQ(data.test.count, 10);
  EXPECT_NE(load_dataset("images", {.train = 20, .seed = 1, .patches = {.size = 9}, .path = folder.path()})
                .train.values()
                .values(),
            data.train.values().values());
  EXPECT_TRUE(contains(error_of([] { load_dataset("images"); }), "path"));
  EXPECT_TRUE(contains(error_of([&] { load_dataset("images", {.path = folder / "none.png"}); }), "none.png"));
}

TEST(LoadDataset, SaysPlainlyWhatCannotBeDownloaded) {
  const test::TemporaryFolder folder;
  const test::TemporaryVariable data("BASIN_DATA", folder.path());
  if (std::filesystem::exists("data/natural")) GTEST_SKIP() << "the images lie in ./data";
  EXPECT_TRUE(contains(error_of([] { load_dataset("olshausen"); }), "cannot download"));
  EXPECT_TRUE(contains(error_of([] { load_dataset("kodak"); }), "r0k.us"));
  EXPECT_TRUE(contains(error_of([] { fetch_entry(find_entry("olshausen")); }), "cannot download"));
  EXPECT_TRUE(contains(error_of([] { fetch_entry(find_entry("images")); }), "your own"));
}

TEST(LoadDataset, PatchesOfNaturalImages) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no natural images here";
  for (const char* name : {"olshausen", "kodak"})
    EXPECT_NE(verify_file(find_entry(name), find_entry(name).files[0]), "");
  const PatchOptions raw{.size = 12, .remove_mean = false, .unit_variance = false};
  const auto variance = [](const Tensor& values) {
    double sum = 0, squares = 0;
    for (const double value : values.values()) {
      sum += value;
      squares += value * value;
    }
    const auto n = static_cast<double>(values.size());
    return squares / n - sum * sum / (n * n);
  };
  // Variances of images 2 and 7, which are for tests: 0.0771 and 0.0578.
  const Dataset olshausen = load_dataset("olshausen", {.train = 10000, .test = 10000, .patches = raw});
  EXPECT_NEAR(variance(olshausen.test.values()), (0.0771 + 0.0578) / 2, 0.005);
  EXPECT_NEAR(variance(olshausen.train.values()),
              (0.0994 + 0.0423 + 0.0724 + 0.2004 + 0.0998 + 0.0805 + 0.0471 + 0.0139) / 8, 0.008);
  const Dataset kodak = load_dataset("kodak", {.train = 5000, .test = 1000, .patches = raw});
  const std::vector<double> values = kodak.train.values().values();
  EXPECT_GE(*std::ranges::min_element(values), 0.0);
  EXPECT_LE(*std::ranges::max_element(values), 1.0);
  EXPECT_GT(variance(kodak.train.values()), 0.02);
}

}  // namespace
}  // namespace basin
