#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/images/patches.h"

namespace basin {

/// One file of a downloadable data set.
struct RemoteFile {
  std::string name;               // "train-images-idx3-ubyte.gz"
  std::vector<std::string> urls;  // tried in order
  std::string sha256;             // lower-case hex
  std::uint64_t bytes = 0;
  std::string unpacked_sha256 =
      {};  // of the same file without .gz, which serves as well; "" for a file that is not packed
};

/// What basin knows of a data set: embedded generators need no file, and files without addresses must be had
/// by hand.
struct CatalogEntry {
  std::string name;         // "mnist"
  std::string description;  // one line
  std::string folder;       // under a data folder; "" for generators
  std::vector<RemoteFile> files;
  std::string by_hand = {};  // for files without addresses: what to do, for the end of a message
  bool needs_path = false;   // the user names a file or folder
};

const std::vector<CatalogEntry>& catalog();
/// Throws Error naming the nearest known data set.
const CatalogEntry& find_entry(const std::string& name);

/// Folders searched, in order: $BASIN_DATA (if set), ./data.
std::vector<std::string> data_folders();
/// Where the entry's file lies: FOLDER/entry.folder/NAME or FOLDER/NAME in each folder, else there without
/// ".gz". Throws Error with the folders searched and the command that fetches it, or what to do by hand.
std::string locate(const CatalogEntry& entry, const RemoteFile& file);

/// locate(), then SHA-256. Returns the path. Throws Error when the file is not found or not the official one.
std::string verify_file(const CatalogEntry& entry, const RemoteFile& file);

/// Whether a program can download it.
bool is_downloadable(const CatalogEntry& entry);

struct DatasetOptions {
  Index train = 0, test = 0;  // number of samples; 0 = all there are (generators: their default)
  std::uint64_t seed = 0;     // of generators
  Index size = 0;             // bars_and_stripes: the side, 0 = 4; shifter: the bits of a pattern, 0 = 8;
                              // sparse_signals: the measurements (codes: twice that), 0 = 250
  bool count_plain_twice =
      false;                  // bars_and_stripes: all-white and all-black each twice, as bars and as stripes
  PatchOptions patches = {};  // of image sets
  std::string path = {};      // "images": what read_images() takes
  std::string inside = {};    // "images": the dataset in an HDF5 file, "" = the only one
};

/// "mnist", "strokes", "bars_and_stripes", "shifter", "sparse_signals"; patches of "leaves", "olshausen",
/// "kodak" and "images" (any at `path`), whose seed names the draw of the patches. Throws Error for an
/// unknown name or unreadable files.
Dataset load_dataset(const std::string& name, const DatasetOptions& options = {});

}  // namespace basin
