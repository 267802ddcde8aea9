#include "results/hdf5/store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "results/folder.h"
#include "support/device.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;

Store example() {
  Store store;
  store.put("/parameters/W",
            Tensor::from(std::vector<double>{1.5, -2, 0.25, 1e-30, 3, -0.0}, {2, 3}, test::f32()));
  store.put("/parameters/b", Tensor::from(std::vector<double>{0.1, 1.0 / 3.0}, {2}, test::f64()));
  store.put("/parameters/scalar", Tensor::full({}, 7, test::f64()));
  store.put_integer("/experiment/seed", 7);
  store.put_number("/time/train_seconds", 2.5);
  store.put("/parameters/none", Tensor::zeros({0, 784}, test::f32()));
  store.put("/metrics/epoch/loss", std::vector<double>{3, 2, std::numeric_limits<double>::quiet_NaN()});
  store.put("/metrics/epoch/table", std::vector<double>{1, 2, 3, 4}, {2, 2});
  store.put("/metrics/epoch/epoch",
            std::vector<std::int64_t>{1, -2, std::numeric_limits<std::int64_t>::max()});
  store.put("/metrics/epoch/nothing", std::vector<std::int64_t>{});
  store.put_text("/experiment/given", "seed = 7\nname = \"\xc3\xa9t\xc3\xa9\"\n");
  store.put_text("/experiment/empty", "");
  store.put_texts("/experiment/rules", {"fused rbm", "", "\xe2\x88\x91"});
  store.put_texts("/experiment/no_rules", {});
  store.attribute("", "format", std::string("basin results"));
  store.attribute("/", "version", std::int64_t{1});
  store.attribute("/metrics/epoch/loss", "unit", std::string("nats"));
  store.attribute("/metrics", "best", 0.5);
  store.attribute("/only/attributes", "note", std::string(""));
  return store;
}

void expect_example(const Store& store) {
  const Tensor weights = store.tensor("/parameters/W");
  EXPECT_EQ(weights.placement(), (Placement{Dtype::F32, Device::Cpu}));
  EXPECT_EQ(weights.shape(), (Shape{2, 3}));
  EXPECT_EQ(weights.values(), (std::vector<double>{1.5, -2, 0.25, static_cast<float>(1e-30), 3, -0.0}));
  EXPECT_TRUE(std::signbit(weights.values()[5]));
  EXPECT_EQ(store.tensor("/parameters/b", test::device()).placement(), test::f64());
  EXPECT_EQ(store.tensor("/parameters/b", test::device()).values(), (std::vector<double>{0.1, 1.0 / 3.0}));
  EXPECT_EQ(store.tensor("parameters/scalar").item(), 7.0);
  EXPECT_EQ(store.shape("/parameters/scalar"), Shape{});
  EXPECT_EQ(store.integer("/experiment/seed"), 7);
  EXPECT_EQ(store.number("/time/train_seconds"), 2.5);
  EXPECT_EQ(store.shape("/experiment/seed"), Shape{});
  EXPECT_EQ(store.shape("/parameters/none"), (Shape{0, 784}));
  EXPECT_EQ(store.tensor("/parameters/none").size(), 0);
  const std::vector<double> loss = store.numbers("/metrics/epoch/loss");
  ASSERT_EQ(loss.size(), 3u);
  EXPECT_EQ(loss[0], 3.0);
  EXPECT_TRUE(std::isnan(loss[2]));
  EXPECT_EQ(store.shape("/metrics/epoch/table"), (Shape{2, 2}));
  EXPECT_EQ(store.integers("/metrics/epoch/epoch"),
            (std::vector<std::int64_t>{1, -2, std::numeric_limits<std::int64_t>::max()}));
  EXPECT_TRUE(store.integers("/metrics/epoch/nothing").empty());
  EXPECT_EQ(store.text("/experiment/given"), "seed = 7\nname = \"\xc3\xa9t\xc3\xa9\"\n");
  EXPECT_EQ(store.text("/experiment/empty"), "");
  EXPECT_EQ(store.texts("/experiment/rules"), (std::vector<std::string>{"fused rbm", "", "\xe2\x88\x91"}));
  EXPECT_TRUE(store.texts("/experiment/no_rules").empty());
  EXPECT_EQ(std::get<std::string>(store.attribute("", "format")), "basin results");
  EXPECT_EQ(std::get<std::int64_t>(store.attribute("/", "version")), 1);
  EXPECT_EQ(std::get<std::string>(store.attribute("metrics/epoch/loss", "unit")), "nats");
  EXPECT_EQ(std::get<double>(store.attribute("/metrics", "best")), 0.5);
  EXPECT_EQ(std::get<std::string>(store.attribute("/only/attributes", "note")), "");
}

TEST(Store, KeepsEveryTypeInMemory) { expect_example(example()); }

TEST(Store, RoundTripsEveryTypeThroughAFile) {
  const Folder folder;
  const Store first = example();
  first.save(folder / "a.h5");
  const Store second = Store::load(folder / "a.h5");
  expect_example(second);
  EXPECT_EQ(second.list(), first.list());
  second.save(folder / "b.h5");
  EXPECT_EQ(folder.read("a.h5"), folder.read("b.h5")) << "what was loaded saves to the same bytes";
}

TEST(Store, EqualStoresGiveEqualBytes) {
  const Folder folder;
  example().save(folder / "a.h5");
  // The same content, put in another order, at another second, over something else.
  Store other;
  other.put_text("/experiment/given", "something longer than what follows, to be replaced by it");
  other.put("/zzz", std::vector<double>{1});
  other.remove("/zzz");
  const Store same = example();
  const std::vector<std::string> paths = same.list();
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const auto& content = same.entry(*path).content;
    if (const auto* tensor = std::get_if<Tensor>(&content)) {
      other.put(*path, *tensor);
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&content)) {
      if (same.shape(*path).empty()) {
        other.put_integer(*path, integers->front());
      } else {
        other.put(*path, *integers, same.shape(*path));
      }
    } else if (const auto* text = std::get_if<std::string>(&content)) {
      other.put_text(*path, *text);
    } else {
      other.put_texts(*path, std::get<std::vector<std::string>>(content));
    }
  }
  other.attribute("/only/attributes", "note", std::string(""));
  other.attribute("/metrics", "best", 0.5);
  other.attribute("/metrics/epoch/loss", "unit", std::string("nats"));
  other.attribute("/", "version", std::int64_t{1});
  other.attribute("", "format", std::string("basin results"));
  sleep(1);  // a time stamp inside the file would show
  other.save(folder / "b.h5");
  EXPECT_EQ(folder.read("a.h5"), folder.read("b.h5"));
  other.put("/metrics/epoch/loss", std::vector<double>{3, 2, 1});
  other.save(folder / "b.h5");
  EXPECT_NE(folder.read("a.h5"), folder.read("b.h5"));
}

TEST(Store, RefusesAnAttributeThatAFileWouldCutShort) {
  Store store;
  EXPECT_THROW(store.attribute("/x", "unit", std::string("na\0ts", 5)), Error);
}

TEST(Store, CopiesWhatItIsGivenAndWhatItGives) {
  Store store;
  const Tensor tensor = Tensor::full({3}, 1, test::f32());
  store.put("/x", tensor);
  tensor.fill(2);
  store.tensor("/x").fill(3);
  EXPECT_EQ(store.tensor("/x").values(), (std::vector<double>{1, 1, 1}));
}

TEST(Store, ListsFindsAndRemoves) {
  Store store = example();
  EXPECT_EQ(store.list("/parameters"), (std::vector<std::string>{"/parameters/W", "/parameters/b",
                                                                 "/parameters/none", "/parameters/scalar"}));
  EXPECT_TRUE(store.list("/param").empty());
  EXPECT_TRUE(store.list("/parameters/W").empty());
  EXPECT_EQ(store.list().size(), 14u);
  store.put("/parameters-old", std::vector<double>{1});
  EXPECT_TRUE(store.has("/parameters") && store.has("parameters/W") && store.has("/only"));
  EXPECT_FALSE(store.has("/parameters/w") || store.has("/para"));
  store.remove("/parameters");
  EXPECT_FALSE(store.has("/parameters") || store.has("/parameters/W"));
  EXPECT_TRUE(store.has("/parameters-old"));
  store.remove("/metrics");
  EXPECT_THROW(store.attribute("/metrics/epoch/loss", "unit"), Error);
  EXPECT_NO_THROW(store.remove("/nothing/there"));
}

TEST(Store, GroupsAreStores) {
  Store store;
  store.put("/other", std::vector<double>{1});
  store.put("/stages/first/old", std::vector<double>{1});
  store.put_group("/stages/first", example());
  EXPECT_FALSE(store.has("/stages/first/old"));
  EXPECT_EQ(std::get<std::string>(store.attribute("/stages/first", "format")), "basin results");
  EXPECT_EQ(store.tensor("/stages/first/parameters/scalar").item(), 7.0);
  expect_example(store.group("/stages/first"));
  EXPECT_EQ(store.group("stages/first").list(), example().list());
  EXPECT_EQ(store.group("").list(), store.list());
  EXPECT_TRUE(store.group("/stages/second").list().empty());
}

TEST(Store, RefusesWhatDoesNotFit) {
  Store store = example();
  EXPECT_THROW(store.put("", std::vector<double>{1}), Error);
  EXPECT_THROW(store.put("/", std::vector<double>{1}), Error);
  EXPECT_THROW(store.put("/a/../b", std::vector<double>{1}), Error);
  EXPECT_THROW(store.put("/parameters/W/x", std::vector<double>{1}), Error) << "below a dataset";
  EXPECT_THROW(store.put("/parameters", std::vector<double>{1}), Error) << "in place of a group";
  EXPECT_THROW(store.put("/x", std::vector<double>{1, 2, 3}, {2, 2}), Error);
  EXPECT_THROW(store.put("/x", Tensor()), Error);
  EXPECT_THROW(store.tensor("/parameters/w"), Error);
  EXPECT_THROW(store.tensor("/experiment/given"), Error);
  EXPECT_THROW(store.numbers("/metrics/epoch/epoch"), Error);
  EXPECT_THROW(store.text("/experiment/rules"), Error);
  EXPECT_THROW(store.attribute("/parameters/W", "unit"), Error);
  expect_example(store);
}

TEST(Store, NamesFileAndPathInErrors) {
  const Folder folder;
  example().save(folder / "a.h5");
  const Store store = Store::load(folder / "a.h5");
  try {
    store.integers("/parameters/W");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "[store] " + (folder / "a.h5") +
                  ": /parameters/W: expected integers, received floating-point numbers");
  }
}

TEST(Store, OtherProgramsReadIt) {
  const Folder folder;
  example().save(folder / "a.h5");
  if (std::system("h5dump --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "h5dump is not installed (package hdf5-tools)";
  }
  ASSERT_EQ(std::system(("h5dump " + (folder / "a.h5") + " > " + (folder / "dump.txt") + " 2>&1").c_str()),
            0);
  const std::string dump = folder.read("dump.txt");
  for (const char* expected : {"DATASET \"W\"", "H5T_IEEE_F32LE", "(0,0): 1.5, -2, 0.25,", "H5T_IEEE_F64LE",
                               "( 0, 784 )", "H5T_STD_I64LE", "9223372036854775807", "H5T_CSET_UTF8",
                               "\"fused rbm", "\"nats\"", "GROUP \"attributes\"", "basin results"}) {
    EXPECT_NE(dump.find(expected), std::string::npos) << expected << " is missing in\n" << dump;
  }
}

TEST(Store, H5pyReadsIt) {
  const Folder folder;
  example().save(folder / "a.h5");
  if (std::system("/usr/bin/python3 -c 'import h5py' > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "h5py is not installed (package python3-h5py)";
  }
  folder.write("check.py", R"(
import h5py, sys
f = h5py.File(sys.argv[1], "r")
assert f["/parameters/W"].shape == (2, 3) and f["/parameters/W"].dtype == "float32" and f["/parameters/W"][0, 1] == -2
assert f["/parameters/b"][1] == 1 / 3 and f["/parameters/scalar"][()] == 7 and f["/parameters/none"].shape == (0, 784)
assert list(f["/metrics/epoch/epoch"]) == [1, -2, 2**63 - 1]
assert f["/experiment/given"][()].decode() == 'seed = 7\nname = "\u00e9t\u00e9"\n'
assert f["/experiment/empty"][()] == b""
assert list(f["/experiment/rules"].asstr()) == ["fused rbm", "", "\u2211"]
assert f["/metrics/epoch/loss"].attrs["unit"] == "nats" and f.attrs["version"] == 1
assert f["/experiment/seed"].shape == () and f["/experiment/seed"][()] == 7 and f["/time/train_seconds"][()] == 2.5
)");
  EXPECT_EQ(std::system(("/usr/bin/python3 " + (folder / "check.py") + " " + (folder / "a.h5")).c_str()), 0);
}

}  // namespace
}  // namespace basin
