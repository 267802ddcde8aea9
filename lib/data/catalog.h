#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace basin {

/// One file of a downloadable data set.
struct RemoteFile {
  std::string name;               // "train-images-idx3-ubyte.gz"
  std::vector<std::string> urls;  // tried in order
  std::string sha256;             // lower-case hex
  std::uint64_t bytes = 0;
  std::string unpacked_sha256 = {};  // of the same file without .gz, which serves as well
};

/// What basin knows of a data set: embedded generators need no file.
struct CatalogEntry {
  std::string name;         // "mnist"
  std::string description;  // one line
  std::string folder;       // under a data folder; "" for generators
  std::vector<RemoteFile> files;
};

const std::vector<CatalogEntry>& catalog();
/// Throws Error naming the nearest known data set.
const CatalogEntry& find_entry(const std::string& name);

/// Folders searched, in order: $BASIN_DATA (if set), ./data.
std::vector<std::string> data_folders();
/// Where the entry's file lies: FOLDER/entry.folder/NAME or FOLDER/NAME in each folder, else there without ".gz". Throws Error with the
/// folders searched and the command that fetches it.
std::string locate(const CatalogEntry& entry, const RemoteFile& file);

/// locate(), then SHA-256. Returns the path. Throws Error when the file is not found or not the official one.
std::string verify_file(const CatalogEntry& entry, const RemoteFile& file);

struct DatasetOptions {
  Index train = 0, test = 0;       // number of samples; 0 = all there are (generators: their default)
  std::uint64_t seed = 0;          // of generators
  Index size = 0;                  // bars_and_stripes: the side, 0 = 4; shifter: the bits of a pattern, 0 = 8
  bool count_plain_twice = false;  // bars_and_stripes: all-white and all-black each twice, as bars and as stripes
};

/// "mnist", "strokes", "bars_and_stripes", "shifter". Throws Error for an unknown name or unreadable files.
Dataset load_dataset(const std::string& name, const DatasetOptions& options = {});

}  // namespace basin
