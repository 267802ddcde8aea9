#include "results/text_table.h"

#include <gtest/gtest.h>

#include "tensor/error.h"

namespace basin {
namespace {

TEST(TextTable, StandsInColumnsAndInCsv) {
  TextTable table({"name", "n"});
  table.add({"long name", "1"}).add({"b", ""});
  EXPECT_EQ(table.aligned(), "name       n\nlong name  1\nb\n");
  EXPECT_EQ(table.csv(), "name,n\nlong name,1\nb,\n");
  EXPECT_THROW(table.add({"one"}), Error);
}

TEST(TextTable, CellsOfCsvAreQuotedWhereTheyMustBe) {
  TextTable table({"a"});
  table.add({"x, y"}).add({"say \"hi\""}).add({"two\nlines"});
  EXPECT_EQ(table.csv(), "a\n\"x, y\"\n\"say \"\"hi\"\"\"\n\"two\nlines\"\n");
}

}  // namespace
}  // namespace basin
