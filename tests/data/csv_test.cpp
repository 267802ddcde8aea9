#include "data/readers/csv.h"

#include <gtest/gtest.h>

#include "columns.h"
#include "config/config.h"
#include "data/catalog.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::TemporaryFolder;
using test::write_file;

class Csv : public testing::Test {
 protected:
  std::vector<Column> read(const std::string& text, const std::vector<CsvColumn>& columns,
                           CsvOptions options = {}, ClassNames names = {}) {
    return read_csv(write_file(folder_ / "a.csv", text), columns, options, names);
  }
  std::string refusal(const std::string& text, const std::vector<CsvColumn>& columns, CsvOptions options = {},
                      ClassNames names = {}) {
    const std::string error = error_of([&] { read(text, columns, options, names); });
    EXPECT_TRUE(contains(error, "a.csv") && !contains(error, "\n")) << error;
    return error;
  }
  TemporaryFolder folder_;
};

TEST_F(Csv, NamesNumbersAndWords) {
  const std::string text =
      "\xef\xbb\xbf\"sepal, length\",width,species\r\n5.1,3.5,setosa\r\n7,\"3.2\",virginica"
      "\r\n -1e-3 ,+4,\"iris\"\r\n6.3,3.3,\"say \"\"a\"\"\"\r\n\r\n";
  ClassNames names;
  const std::string path = write_file(folder_ / "a.csv", text);
  const std::vector<Column> columns =
      read_csv(path, {{"x", "*"}, {"label", "species", ColumnKind::Reals, -1}}, {}, names);
  EXPECT_EQ(columns[0].shape(), Shape{2});
  EXPECT_EQ(columns[0].reals().values(), (std::vector<double>{5.1, 3.5, 7, 3.2, -1e-3, 4, 6.3, 3.3}));
  EXPECT_EQ(names["label"], (std::vector<std::string>{"iris", "say \"a\"", "setosa", "virginica"}));
  EXPECT_EQ(std::vector<int>(columns[1].integers().begin(), columns[1].integers().end()),
            (std::vector<int>{2, 3, 0, 1}));
  EXPECT_EQ(columns[1].classes(), 4);
  const auto values = [&](const std::string& place) {
    return read(text, {{"x", place}})[0].reals().values();
  };
  EXPECT_EQ(values("sepal, length"), (std::vector<double>{5.1, 7, -1e-3, 6.3})) << "a name with a comma";
  EXPECT_EQ(values("width, 1"), (std::vector<double>{3.5, 5.1, 3.2, 7, 4, -1e-3, 3.3, 6.3}));
  EXPECT_EQ(values("1-2"), columns[0].reals().values());
  EXPECT_EQ(read(text, {{"x", "width"}})[0].shape(), Shape{}) << "one cell alone";
}

TEST_F(Csv, WithoutAHeaderAndOtherSeparators) {
  const std::vector<Column> columns = read("0;255;7\n1;0;8",
                                           {{"label", "1", ColumnKind::Reals, 4},
                                            {"image", "2", ColumnKind::Bytes},
                                            {"n", "3", ColumnKind::Integers}},
                                           {.separator = ';', .header = false});
  EXPECT_EQ(columns[0].classes(), 4);
  EXPECT_EQ(columns[1].bytes()[0], 255);
  EXPECT_EQ(columns[2].integers()[1], 8);
  EXPECT_EQ(columns[2].classes(), 0);
  EXPECT_EQ(read("a\n1\n2\n", {{"x", "*"}})[0].shape(), Shape{1});
  EXPECT_EQ(read("label\n3.0\n1\n", {{"l", "label", ColumnKind::Reals, -1}})[0].integers()[0], 3);
}

TEST_F(Csv, BadCellsAreNamedByLineAndColumn) {
  const std::vector<CsvColumn> x{{"x", "*"}};
  EXPECT_TRUE(contains(refusal("a,b\n1,2\n3,four\n", x),
                       "line 3, column 2: expected a finite number of 'x', "
                       "received 'four'"));
  EXPECT_TRUE(contains(refusal("a,b\n\"1\n\",2\n3,\n", x), "line 2, column 1"));
  EXPECT_TRUE(contains(refusal("a,b\n1,2\n3,\n", x), "received nothing"));
  for (const char* cell : {"nan", "inf", "1e999", "0x10", "1.2.3", "1 2", "--1", "1,0"})
    EXPECT_TRUE(contains(refusal(std::string("a\n") + cell + "\n", x), "line 2")) << cell;
  EXPECT_TRUE(
      contains(refusal("a,b\n1,2\n\n3,4\n", x), "line 3: expected 2 cells as in the first line, received 1"));
  EXPECT_TRUE(contains(refusal("a\n1\n\n2\n", x), "line 3, column 1"));
  EXPECT_TRUE(contains(refusal("a,b\n1,2,3\n", x), "line 2: expected 2 cells"));
  EXPECT_TRUE(contains(refusal("a,b\n1,\"2\n3,4\n", x), "line 2, column 2: the quotes"));
  EXPECT_TRUE(contains(refusal("a,b\n1,\"2\"3\n", x), "line 2, column 2: the quotes"));
  EXPECT_TRUE(contains(refusal("1,2\n3,4\n", x), "header = false"));
  EXPECT_TRUE(contains(refusal("", x), "empty"));
  EXPECT_TRUE(contains(refusal("a,b\n", x), "none"));
  EXPECT_TRUE(contains(refusal(std::string("a\n1\n\0\n", 6), x), "byte 0 in line 3"));
  EXPECT_TRUE(contains(refusal("a\n256\n", {{"x", "a", ColumnKind::Bytes}}), "0 to 255"));
  EXPECT_TRUE(contains(refusal("a\n3000000000\n", {{"x", "a", ColumnKind::Integers}}), "32 bits"));
  const ImportLimit small(1000);
  ClassNames names;
  std::string many = "a\n";
  for (int i = 0; i < 200; ++i) many += "1\n";
  const std::string path = write_file(folder_ / "a.csv", many);
  EXPECT_TRUE(contains(error_of([&] { read_csv(path, x, {}, names, small); }), "import limit"));
}

TEST_F(Csv, ColumnsThatAreNotThere) {
  EXPECT_TRUE(contains(refusal("alpha,beta\n1,2\n", {{"x", "alpa"}}), "did you mean 'alpha'"));
  for (const char* place : {"0", "3", "2-1", "1-3", "", "1,", "-1", "99999999999999999999"})
    EXPECT_TRUE(contains(refusal("alpha,beta\n1,2\n", {{"x", place}}), "has no column")) << place;
  EXPECT_TRUE(contains(refusal("a,a\n1,2\n", {{"x", "a"}}), "twice"));
  EXPECT_TRUE(contains(refusal("a,b\n1,2\n", {{"x", "a"}, {"y", "1-2"}}), "taken twice"));
  EXPECT_TRUE(contains(refusal("a\n1\n", {{"x", "a"}, {"y", "*"}}), "is left"));
}

TEST_F(Csv, CategoriesOfTestSamplesAreThoseOfTheTrainingSamples) {
  const std::vector<CsvColumn> label{{"label", "a", ColumnKind::Reals, -1}};
  const ClassNames words{{"label", {"ant", "bee", "cat"}}}, numbers{{"label", {}}};
  EXPECT_EQ(read("a\ncat\n", label, {}, words)[0].integers()[0], 2);
  EXPECT_EQ(read("a\ncat\n", label, {}, words)[0].classes(), 3);
  EXPECT_TRUE(contains(refusal("a\ndog\n", label, {}, words), "'dog', which no training sample has"));
  EXPECT_TRUE(contains(refusal("a\n1\n", label, {}, words), "have words"));
  EXPECT_TRUE(contains(refusal("a\ncat\n", label, {}, numbers), "have numbers"));
  for (const char* cell : {"-1", "1.5", "1e20"})
    EXPECT_TRUE(contains(refusal(std::string("a\n") + cell + "\n", label), "categories 0, 1")) << cell;
}

TEST_F(Csv, CellsOfTestSamplesAreThoseOfTheTrainingSamples) {
  ClassNames names;
  const std::string train = write_file(folder_ / "train.csv", "a,b,c\n1,2,0\n");
  for (const char* place : {"*", "1-3"}) {
    names.clear();
    read_csv(train, {{"x", place}}, {}, names);
    EXPECT_EQ(read("a,b,c\n3,4,1\n", {{"x", place}}, {}, names)[0].count(), 1);
    EXPECT_TRUE(contains(refusal("b,a,c\n4,3,1\n", {{"x", place}}, {}, names), "received 'b' for 'a'"))
        << place;
    EXPECT_TRUE(contains(refusal("a,b,c,d\n4,3,1,5\n", {{"x", "*"}}, {}, names), "received 'd' for 'none'"));
  }
  EXPECT_EQ(read("b,a,c\n4,3,1\n", {{"x", "a, b"}}, {}, names)[0].reals().values(),
            (std::vector<double>{3.0, 4.0}))
      << "names say what they mean";
}

TEST_F(Csv, AsADataSet) {
  std::string text = "kind,a,b\n";
  for (int n = 0; n < 40; ++n)
    text += (n % 2 == 0 ? "odd," : "even,") + std::to_string(n) + "," + std::to_string(2 * n) + "\n";
  write_file(folder_ / "train.csv", text);
  const auto load = [&](const std::string& rest) {
    const Config config =
        Config::parse("[data]\nname = \"file\"\npath = \"" + folder_ / "train.csv" + "\"\n" + rest);
    const DatasetChoice choice = read_dataset(config.table("data"));
    config.finish();
    return load_dataset(choice.name, choice.options);
  };
  const Dataset data = load("columns = { x = \"*\", label = \"kind\" }");
  EXPECT_EQ(data.train.count, 32);
  EXPECT_EQ(data.test.count, 8);
  EXPECT_EQ(data.train.labels()->classes(), 2);
  for (Index n = 0; n < data.test.count; ++n) {
    const auto at = static_cast<std::size_t>(n);
    EXPECT_EQ(static_cast<int>(data.test.values().values()[2 * at]) % 2 == 0 ? 1 : 0,
              data.test["label"].integers()[at]);
  }
  EXPECT_EQ(load("columns = { x = \"a\" }\nbytes = [\"x\"]").train.first().kind(), ColumnKind::Bytes);
  for (const char* key : {"bytes", "integers", "categories"})
    EXPECT_TRUE(
        contains(error_of([&] { load(fmt::format("columns = {{ pixel = \"a\" }}\n{} = [\"pixle\"]", key)); }),
                 "received 'pixle'; did you mean 'pixel'?"))
        << key;
  EXPECT_TRUE(
      contains(error_of([&] { load("columns = { x = \"a\" }\nseparator = \"ab\""); }), "one character"));
  EXPECT_TRUE(contains(error_of([&] { load("columns = { x = \"a\" }\nresize = [2, 2]"); }), "resize"));
}

}  // namespace
}  // namespace basin
