// A stack of layers: the next one learns from what an earlier experiment's encoder makes of its data.
#include "training/features.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const std::string kFirst = R"(
seed = 4
data = { name = "leaves", train = 300, test = 60, patches = { size = 6, whiten = "pca" } }
model = { kind = "psd", atoms = 20, lambda = 0.5 }
train = { epochs = 2, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.01, average = { from = 0.8 } }
)";

const std::string kNext = R"(
seed = 5
data = { name = "features" }
model = { kind = "psd", atoms = 12, lambda = 0.5 }
train = { epochs = 1, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.01 }
results = { plots = ["dictionary", "encoder", "reconstructions", "curves"] }
)";

using test::plan_of_text;

class Features : public test::ExperimentFolder {
 protected:
  Features() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name) const {
    return run_experiment(plan, options(name));
  }

  Plan next(const std::string& below, std::vector<std::string> settings = {}) const {
    settings.push_back("data.path=" + file(below));
    return plan_of_text(kNext, settings);
  }

  std::string refusal(const Plan& plan) const {
    try {
      load_data(plan);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Features, AreTheAbsoluteValuesOfTheEncodersCodes) {
  const Plan first = plan_of_text(kFirst);
  const RunResult below = run(first, "first.h5");
  const Dataset features = load_data(next("first.h5"));
  EXPECT_EQ(features.train.shape(), Shape{20});
  EXPECT_EQ(features.train.count, 300);
  EXPECT_EQ(features.test.count, 60);
  // |shrink(y W + b, |s|)| times the scale, from the stored averages.
  const Dataset patches = load_data(first);
  const Value y = flatten(Value(patches.test.values()));
  const auto stored = [&](const char* name) {
    return Value(below.store.tensor(std::string("/average/y.z.") + name));
  };
  const Value expected = abs(shrink(matmul(y, stored("weight")) + stored("bias"), abs(stored("threshold")))) *
                         features.preprocessing.scale;
  const std::vector<double> found = features.test.values().values(), wanted = expected.tensor().values();
  ASSERT_EQ(found.size(), wanted.size());
  double squares = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-4 * (1.0 + wanted[i]));
  for (const double number : features.train.values().values()) squares += number * number;
  EXPECT_NEAR(squares / (300.0 * 20.0), 1.0, 1e-4);
}

TEST_F(Features, ArePicturedThroughTheLayersBelow) {
  const RunResult below = run(plan_of_text(kFirst), "first.h5");
  const Dataset patches = load_data(plan_of_text(kFirst)), features = load_data(next("first.h5"));
  // The third feature alone looks like the third element, and its filter like the third filter.
  std::vector<double> third(20, 0.0);
  third[2] = 1.0;
  const Tensor one = Tensor::from(third, {1, 20});
  const Tensor element = below.store.tensor("/average/z.y.weight").rows(2, 3);
  const Tensor filter =
      transpose(Value(below.store.tensor("/average/y.z.weight")), {1, 0}).tensor().rows(2, 3).clone();
  const auto expect_same = [](const Tensor& left, const Tensor& right, double factor) {
    EXPECT_EQ(left.shape(), (Shape{1, 6, 6}));
    const std::vector<double> a = left.values(), b = right.values();
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_NEAR(a[i], factor * b[i], 1e-4 * (1.0 + std::abs(factor * b[i])));
  };
  const double scale = features.preprocessing.scale;
  expect_same(patches_of_elements(features.preprocessing, one),
              patches_of_elements(patches.preprocessing, element), 1.0 / scale);
  expect_same(patches_of_filters(features.preprocessing, one),
              patches_of_filters(patches.preprocessing, filter), scale);
}

TEST_F(Features, LayersStack) {
  run(plan_of_text(kFirst), "first.h5");
  const RunResult second = run(next("first.h5"), "second.h5");
  ASSERT_EQ(second.pictures.size(), 4u);
  EXPECT_LT(second.store.numbers("/evaluation/reconstruction_error").at(0), 1.0);
  EXPECT_EQ(second.store.shape("/preprocessing/inverse"), (Shape{36, 20}));
  const RunResult third =
      run(next("second.h5", {"model.atoms=8", "data.train=200", "data.test=0"}), "third.h5");
  EXPECT_EQ(third.store.shape("/parameters/z.y.weight"), (Shape{8, 12}));
  EXPECT_EQ(third.store.shape("/preprocessing/inverse"), (Shape{36, 12}));
}

TEST_F(Features, RefuseFilesThatHaveNone) {
  EXPECT_NE(refusal(next("absent.h5")).find("absent.h5: expected the results of the layer below"),
            std::string::npos);
  run(plan_of_text(kFirst, {"model.kind=sparse_coding", "train.epochs=1"}), "none.h5");
  EXPECT_NE(refusal(next("none.h5")).find("encoder"), std::string::npos);
  run(plan_of_text(kFirst, {"train.epochs=1"}), "first.h5");
  EXPECT_NE(refusal(next("first.h5", {"data.train=301"})).find("300"), std::string::npos);
  EXPECT_THROW(plan_of_text(kNext), Error);  // no path
  Store half = Store::load(file("first.h5"));
  half.put_text("/experiment/status", "training");
  half.save(file("half.h5"));
  EXPECT_NE(refusal(next("half.h5")).find("--resume"), std::string::npos);
  run(next("first.h5", {"results.plots=[]"}), "second.h5");
  run(next("second.h5", {"results.plots=[]"}), "first.h5");  // over the layer it stands on
  EXPECT_NE(refusal(next("first.h5")).find("same file"), std::string::npos);
}

}  // namespace
}  // namespace basin
