// The page's examples of one's own data, taken from it and run: each on files as it names them.
#include <gtest/gtest.h>

#include <map>

#include "config/config.h"
#include "data/catalog.h"
#include "data/writers.h"
#include "program/page.h"
#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "results/pictures/picture.h"

namespace basin::test {
namespace {

/// `count` samples of `size` bytes, whose class is n mod 3.
std::string pixels(int count, int size) {
  std::string bytes;
  for (int n = 0; n < count * size; ++n) bytes += static_cast<char>(n / size % 3 == n % 3 ? 255 : 0);
  return bytes;
}

std::string labels(int count) {
  std::string bytes;
  for (int n = 0; n < count; ++n) bytes += static_cast<char>(n % 3);
  return bytes;
}

class OwnData : public Program {
 protected:
  /// Training and test samples of a table [data], whose paths begin in the folder of this test.
  std::pair<Index, Index> samples(const std::string& table) const {
    const std::filesystem::path here = std::filesystem::current_path();
    std::filesystem::current_path(path("."));
    const DatasetChoice choice = [&] {
      Config config = Config::parse(table);
      return read_dataset(config.table("data"));
    }();
    const Dataset data = load_dataset(choice.name, choice.options);
    std::filesystem::current_path(here);
    return {data.train.count, data.test.count};
  }

  void put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(path(name).parent_path());
    write(name, bytes);
  }

  void put_all() const {
    Store store;
    for (const auto& [part, count] : {std::pair{"train", 30}, std::pair{"test", 9}}) {
      std::vector<double> bits;
      std::vector<std::int64_t> classes;
      for (const char byte : pixels(count, 6)) bits.push_back(byte == 0 ? 0.0 : 1.0);
      for (const char byte : labels(count)) classes.push_back(byte);
      store.put(std::string(part) + "/images", bits, {count, 2, 3});
      store.put(std::string(part) + "/labels", classes);
    }
    store.save(path("digits.h5"));
    const auto images = [](int count) {
      return npy("|u1", fmt::format("({}, 2, 3)", count), pixels(count, 6));
    };
    const auto classes = [](int count) { return npy("|u1", fmt::format("({},)", count), labels(count)); };
    put("digits/images.npy", images(30));
    put("digits/labels.npy", classes(30));
    put("digits.npz", zip({{"x_train.npy", images(30)},
                           {"y_train.npy", classes(30)},
                           {"x_test.npy", images(9)},
                           {"y_test.npy", classes(9)}},
                          true));
    std::string flowers = "length,width,species\n";
    for (int n = 0; n < 30; ++n)
      flowers += fmt::format("{},{},{}\n", n % 7 - 3.1, n % 5 - 2.2, n % 2 == 0 ? "iris" : "rose");
    put("flowers.csv", flowers);
    for (const auto& [part, count] : {std::pair{"train", 30u}, std::pair{"t10k", 9u}}) {
      const auto number = static_cast<int>(count);
      put(fmt::format("fashion/{}-images-idx3-ubyte.gz", part),
          gzip(idx_header(0x803, {count, 2, 3}) + pixels(number, 6)));
      put(fmt::format("fashion/{}-labels-idx1-ubyte.gz", part),
          gzip(idx_header(0x801, {count}) + labels(number)));
    }
    for (int n = 0; n < 26; ++n) {
      const std::string name =
          fmt::format("photographs/{}/{}/{}.png", n < 20 ? "train" : "test", n % 2 == 0 ? "cat" : "dog", n);
      std::filesystem::create_directories(path(name).parent_path());
      const int side = 20 + n;
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(side * side),
                                      static_cast<std::uint8_t>(9 * n));
      save_png({side, side, 1, bytes}, path(name));
    }
  }
};

TEST_F(OwnData, EveryExampleOfThePageRuns) {
  put_all();
  const std::vector<std::string> found = page_blocks("toml", "## Your own data");
  ASSERT_EQ(found.size(), 6u);
  const std::map<std::string, std::pair<Index, Index>> counts{
      {"digits.h5", {30, 9}},   {"\"digits\"", {24, 6}},  {"digits.npz", {30, 9}},
      {"flowers.csv", {24, 6}}, {"\"fashion\"", {30, 9}}, {"photographs", {20, 6}}};
  std::size_t known = 0;
  for (const std::string& data : found) {
    const bool is_real = data.find("flowers") != std::string::npos;
    write("own.toml",
          "results = { file = \"own.h5\" }\ntrain = { objective = \"cd\", epochs = 2, batch = 5 }\n"
          "optimizer = { learning_rate = 0.01 }\nmodel = { hidden = 4, visible = \"" +
              std::string(is_real ? "gaussian" : "binary") + "\" }\n" + data);
    const Outcome outcome = basin({"run", "own.toml", "--force"});
    EXPECT_EQ(outcome.code, 0) << data << outcome.err;
    for (const auto& [name, count] : counts) {
      if (data.find(name) == std::string::npos) continue;
      ++known;
      EXPECT_EQ(samples(data), count) << name;
    }
  }
  EXPECT_EQ(known, found.size());
}

TEST_F(OwnData, WhatIsWrongIsSaidInOneLine) {
  const std::string rest =
      "results = { file = \"own.h5\" }\nmodel = { hidden = 4 }\ntrain = { epochs = 1, batch = 5 }\n"
      "optimizer = { learning_rate = 0.01 }\n[data]\nname = \"file\"\n";
  put("bad.csv", "a,b\n1,2\n3,four\n");
  write("csv.toml", rest + "path = \"bad.csv\"\ncolumns = { x = \"*\" }\n");
  expect_refusal({"run", "csv.toml"}, "bad.csv: line 3, column 2");
  std::string large = "a,b\n";
  for (int n = 0; n < 20; ++n) large += fmt::format("{}e37,{}e36\n", n % 3 - 1, n % 5);
  put("large.csv", large);
  for (const auto& [model, error] :
       {std::pair{"{ kind = \"pca\", dimensions = 1 }",
                  "computed from the samples, which reach 1e+37, whose squares are too large for f32; scale"},
        {"{ kind = \"scale\" }", "[scale] samples are too large"}}) {
    write("large.toml", std::string("results = { file = \"own.h5\" }\nmodel = ") + model +
                            "\n[data]\nname = \"file\"\npath = \"large.csv\"\ncolumns = { x = \"*\" }\n");
    expect_refusal({"run", "large.toml"}, error);
  }
  put("bad.npz", zip({{"x.npy", npy("|u1", "(2, 2)", "abcd")}}, false).substr(0, 100));
  write("npz.toml", rest + "path = \"bad.npz\"\ncolumns = { x = \"x\" }\n");
  expect_refusal({"run", "npz.toml"}, "bad.npz");
  put("large.npy", npy("|u1", "(30000, 100)", std::string(3'000'000, '\1')));
  write("npy.toml", rest + "columns = { x = \"large.npy\" }\nimport_limit = 2\n");
  expect_refusal({"run", "npy.toml"}, "import limit of 2.0 MiB");
  write("margin.toml",
        "results = { file = \"own.h5\" }\nmodel = { kind = \"sparse_coding\", atoms = 4, lambda = 0.5 "
        "}\ntrain = { epochs = 1 }\noptimizer = { learning_rate = 0.01 }\n[data]\nname = \"leaves\"\n"
        "patches = { size = 8, margin = 9223372036854775807 }\n");
  expect_refusal({"run", "margin.toml"}, "margin: expected a whole number of at most");
}

TEST_F(OwnData, OthersThanTheRunLearnedFromAreRefused) {
  const auto images = [&](const std::string& bytes) { put("images.npy", npy("|u1", "(30, 2, 3)", bytes)); };
  images(pixels(30, 6));
  write("own.toml",
        "results = { file = \"own.h5\" }\nmodel = { hidden = 4 }\ntrain = { epochs = 1, batch = 5 }\n"
        "optimizer = { learning_rate = 0.01 }\n[data]\nname = \"file\"\ncolumns = { x = \"images.npy\" }\n");
  ASSERT_EQ(basin({"run", "own.toml"}).code, 0);
  for (const char* command : {"eval", "verify"}) EXPECT_EQ(basin({command, "own.h5"}).code, 0) << command;
  std::string changed = pixels(30, 6);
  changed.back() = static_cast<char>(changed.back() == 0 ? 255 : 0);  // one pixel of one sample
  images(changed);
  for (const char* command : {"eval", "verify"})
    expect_refusal({command, "own.h5"}, "received other samples");
  expect_refusal({"run", "own.toml"}, "holds this experiment on other samples");
  // A table [data] that is changed on purpose may give other samples, and that is said.
  const Outcome other = basin({"eval", "own.h5", "--set", "data.memory=512"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_NE(other.err.find("warning: measures other samples"), std::string::npos) << other.err;
  expect_refusal({"eval", "own.h5", "--save", "--set", "data.memory=512"}, "leave out --save");
  images(pixels(30, 6));
  for (const char* command : {"eval", "verify"}) EXPECT_EQ(basin({command, "own.h5"}).code, 0) << command;
}

}  // namespace
}  // namespace basin::test
