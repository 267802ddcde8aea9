// Experiments on one's own images through the command line: what is wrong with them, with lambda or with
// inference is said in one line.
#include <gtest/gtest.h>

#include <limits>

#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "results/pictures/picture.h"

namespace basin::test {
namespace {

const std::string kExperiment = R"(seed = 1
data = { name = "images", path = "good.h5", train = 300, test = 50, patches = { size = 8 } }
model = { kind = "psd", atoms = 20, lambda = 0.5 }
train = { epochs = 1, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.001 }
results = { file = "out.h5" }
)";

const std::string kConvolutional = R"(seed = 1
data = { name = "images", path = "good.h5", train = 20, test = 4, patches = { size = 16 } }
model = { kind = "conv_psd", filters = 3, filter_size = 5, lambda = 0.5 }
train = { epochs = 1, batch = 5 }
optimizer = { kind = "adam", learning_rate = 0.001 }
results = { file = "out.h5" }
)";

/// Two images of 32 x 32 waves as an HDF5 file, one pixel of them given.
void write_stack(const std::string& path, float pixel) {
  const Tensor images({2, 32, 32});
  for (Index i = 0; i < images.size(); ++i)
    images.host<float>()[i] = static_cast<float>(i % 7 * (i / 32 % 5)) / 24.0f;
  images.host<float>()[32 * 32 + 5 * 32 + 7] = pixel;
  Store store;
  store.put("images", images);
  store.save(path);
}

class OwnImages : public Program {
 protected:
  OwnImages() {
    write("psd.toml", kExperiment);
    write("conv.toml", kConvolutional);
    write_stack(path("good.h5").string(), 0.5f);
  }

  /// A folder with a picture of that side.
  void write_picture(const std::string& folder, int side) const {
    std::filesystem::create_directories(path(folder));
    Picture picture{.width = side, .height = side, .channels = 1, .pixels = {}};
    for (int i = 0; i < side * side; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
    save_png(picture, path(folder + "/picture.png").string());
  }

  void expect_refusals(const std::string& data_path, const std::string& part) const {
    for (const char* experiment : {"psd.toml", "conv.toml"}) {
      expect_refusal({"run", experiment, "--set", "data.path=" + data_path}, part);
    }
  }
};

TEST_F(OwnImages, GoodOnesAreLearned) {
  EXPECT_EQ(basin({"run", "psd.toml", "--quiet"}).code, 0);
  EXPECT_EQ(basin({"run", "conv.toml", "--quiet", "--force"}).code, 0);
  write_picture("folder", 40);
  EXPECT_EQ(basin({"run", "psd.toml", "--quiet", "--force", "--set", "data.path=folder"}).code, 0);
}

TEST_F(OwnImages, BadOnesAreRefused) {
  std::filesystem::create_directories(path("empty"));
  expect_refusals("empty", "expected PNG or JPEG files in the folder, found nothing");
  write_picture("broken", 40);
  const std::string whole = bytes("broken/picture.png");
  write("broken/second.png", whole.substr(0, whole.size() / 2));
  expect_refusals("broken", "broken/second.png: a damaged PNG picture, or one cut short");
  write("broken/second.png", "not a picture");
  expect_refusals("broken", "broken/second.png");
  write_picture("small", 6);
  expect_refusals("small", "small/picture.png, upper part: has 5 x 6 pixels, smaller than a crop");
  expect_refusals("absent", "absent: expected a file or a folder, found none");
  write_stack(path("nan.h5").string(), std::numeric_limits<float>::quiet_NaN());
  expect_refusals("nan.h5", "expected finite pixels, received nan in row 5, column 7");
  write_stack(path("inf.h5").string(), std::numeric_limits<float>::infinity());
  expect_refusals("inf.h5", "expected finite pixels, received inf in row 5, column 7");
  write("cut.h5", bytes("good.h5").substr(0, 1000));
  expect_refusals("cut.h5", "cut.h5");
  expect_refusal({"run", "conv.toml", "--set", "model.filter_size=17"}, "17 x 17");
}

TEST_F(OwnImages, WarnsOfALambdaThatMakesAllCodesZero) {
  for (const char* experiment : {"psd.toml", "conv.toml"}) {
    const Outcome run = basin({"run", experiment, "--quiet", "--force", "--set", "model.lambda=1000"});
    EXPECT_EQ(run.code, 0);
    EXPECT_NE(run.err.find("warning: model.lambda = 1000 is not below "), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("all codes are zero"), std::string::npos) << run.err;
  }
}

TEST_F(OwnImages, SaysWhenInferenceDoesNotConverge) {
  for (const char* experiment : {"psd.toml", "conv.toml"}) {
    const Outcome run = basin({"run", experiment, "--quiet", "--force", "--set", "inference.max_steps=3",
                               "inference.tolerance=1e-6"});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_NE(run.out.find("did not converge within 3 iterations (worst relative duality gap"),
              std::string::npos)
        << run.out;
    const Store store = Store::load(path("out.h5").string());
    EXPECT_GT(store.numbers("/stages/main/evaluation/unconverged").at(0), 0.5);
    EXPECT_GT(store.numbers("/stages/main/evaluation/gap").at(0), 1e-6);
    EXPECT_GT(store.numbers("/stages/main/metrics/epoch/unconverged").at(0), 0.5);
  }
}

}  // namespace
}  // namespace basin::test
