#include "results/hdf5/rows_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <limits>
#include <numeric>
#include <vector>

#include "results/folder.h"
#include "support/device.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;

Tensor counted(Index rows, const Shape& row, Placement placement, double from = 0.0) {
  Shape shape = row;
  shape.insert(shape.begin(), rows);
  std::vector<double> numbers(static_cast<std::size_t>(element_count(shape)));
  std::iota(numbers.begin(), numbers.end(), from);
  return Tensor::from(numbers, shape, placement);
}

TEST(RowsFile, GivesBackWhatWasWrittenByRangeAndByRow) {
  const Folder folder;
  const Shape row{3, 50};
  RowsWriter writer(folder / "a.h5", row);
  writer.append(counted(700, row, test::f32()));  // several chunks of 436 rows
  writer.append(counted(301, row, test::f32(), 700.0 * 150));
  EXPECT_NE(folder.names(), (std::vector<std::string>{"a.h5"}));
  writer.finish();
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.h5"}));
  const RowsFile file(folder / "a.h5");
  EXPECT_EQ(file.count(), 1001);
  EXPECT_EQ(file.row(), row);
  const Tensor range({200, 3, 50});
  file.read(600, 800, range.data());
  EXPECT_EQ(range.values(), counted(200, row, {}, 600.0 * 150).values());
  const Tensor last({1, 3, 50});
  file.read(1000, 1001, last.data());
  EXPECT_EQ(last.values(), counted(1, row, {}, 1000.0 * 150).values());
  EXPECT_GT(rows_in_chunk(file.row(), file.dtype()), 1);
  EXPECT_THROW(file.read(900, 1002, range.data()), Error);
  EXPECT_THROW(file.read(-1, 10, range.data()), Error);
}

TEST(RowsFile, NumbersThatAreNotFiniteAreNotRead) {
  const Folder folder;
  for (const Dtype dtype : {Dtype::F32, Dtype::F64}) {
    Tensor rows = counted(10, {7}, {dtype, Device::Cpu});
    rows.rows(6, 7).fill(std::numeric_limits<double>::quiet_NaN());
    RowsWriter writer(folder / "a.h5", {7}, dtype);
    writer.append(rows);
    writer.finish();
    const RowsFile file(folder / "a.h5");
    EXPECT_NO_THROW(file.read(0, 6, rows.data()));
    try {
      file.read(3, 10, rows.data());
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("a.h5: rows 3 to 9"), std::string::npos) << error.what();
    }
  }
}

TEST(RowsFile, EqualRowsGiveEqualBytes) {
  const Folder folder;
  for (const char* name : {"a.h5", "b.h5"}) {
    RowsWriter writer(folder / name, {7}, Dtype::F64);
    for (Index i = 0; i < 3; ++i) writer.append(counted(10, {7}, test::f64()));
    writer.finish();
  }
  EXPECT_EQ(folder.read("a.h5"), folder.read("b.h5"));
  EXPECT_EQ(RowsFile(folder / "a.h5").dtype(), Dtype::F64);
}

TEST(RowsFile, AnUnfinishedWriterLeavesNothing) {
  const Folder folder;
  { RowsWriter(folder / "a.h5", {7}).append(counted(10, {7}, test::f32())); }
  EXPECT_TRUE(folder.names().empty());
  EXPECT_THROW(RowsWriter(folder / "no/such/a.h5", {7}), Error);
  EXPECT_THROW(RowsFile(folder / "a.h5"), Error);
  folder.write("text.h5", "these are notes");
  EXPECT_THROW(RowsFile(folder / "text.h5"), Error);
}

TEST(RowsFile, AFullDiskIsAnErrorAndLeavesNothing) {
  const Folder folder;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{100000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_THROW(
      {
        RowsWriter writer(folder / "a.h5", {1000});
        for (int i = 0; i < 50; ++i) writer.append(counted(100, {1000}, test::f32()));
        writer.finish();
      },
      Error);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(folder.names().empty());
  RowsWriter writer(folder / "b.h5", {1000});  // and HDF5 goes on
  writer.append(counted(100, {1000}, test::f32()));
  writer.finish();
  EXPECT_EQ(RowsFile(folder / "b.h5").count(), 100);
}

}  // namespace
}  // namespace basin
