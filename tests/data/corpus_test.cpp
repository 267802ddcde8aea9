// The inputs that the fuzz targets start from, those among them that once crashed a reader: each is read, or
// refused in one line.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include "data/images/image_files.h"
#include "data/readers/csv.h"
#include "data/readers/hdf5_rows.h"
#include "data/readers/idx.h"
#include "data/readers/npy.h"
#include "results/results_file.h"
#include "temporary.h"

namespace basin {
namespace {

TEST(Corpus, EveryInputIsReadOrRefusedInOneLine) {
  const ImportLimit limit(std::uint64_t{64} << 20);
  const std::map<std::string, std::function<void(const std::string&)>> readers{
      {"idx", [&](const std::string& path) { read_idx(path, 0, limit); }},
      {"npy", [&](const std::string& path) { read_npy(path, {"x"}, limit); }},
      {"npz", [&](const std::string& path) { read_npz(path, "x", {"x"}, limit); }},
      {"csv",
       [&](const std::string& path) {
         ClassNames names;
         read_csv(path, {{"x", "*"}, {"label", "1", ColumnKind::Reals, -1}}, {}, names, limit);
       }},
      {"png", [&](const std::string& path) { read_png_image(path, limit); }},
      {"jpeg", [&](const std::string& path) { read_jpeg_image(path, limit); }},
      {"hdf5",
       [&](const std::string& path) {
         test::error_of([&] { read_hdf5(path, "x", {"x"}, 0, limit); });
         read_hdf5_images(path, "", limit);
       }},
      {"results", [&](const std::string& path) { load_results(path); }}};
  std::map<std::string, int> read;
  for (const auto& [folder, reader] : readers) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(BASIN_CORPUS) + "/" + folder)) {
      const std::string error =
          test::error_of([&entry, &read_one = reader] { read_one(entry.path().string()); });
      EXPECT_FALSE(test::contains(error, "\n")) << error;
      read[folder] += error.empty() ? 1 : 0;
    }
    EXPECT_GE(read[folder], 1) << folder << ": a target that starts from refused inputs alone finds little";
  }
}

}  // namespace
}  // namespace basin
