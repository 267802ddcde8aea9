#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/images/patches.h"
#include "data/readers/text.h"

namespace basin {

class Config;
class Reader;

/// One file of a downloadable data set.
struct RemoteFile {
  std::string name;                    // "train-images-idx3-ubyte.gz"
  std::vector<std::string> urls = {};  // tried in order
  std::string sha256 = {};             // lower-case hex
  std::uint64_t bytes = 0;
  std::string unpacked_sha256 =
      {};  // of the same file without .gz, which serves as well; "" for a file that is not packed
};

/// Samples from the user's own files. `path` says what they are, and what the place of a column is:
///   FILE.h5, .hdf5     a dataset
///   FILE.npz           an array
///   FILE.csv, .tsv     cells of a line (CsvColumn::place)
///   a folder ("": .)   a file in it: NAME.npy, or IDX (NAME-ubyte, NAME.idx, each also with .gz); of
///                      pictures "pixels" and "folder", the name of the subfolder
struct FileOptions {
  using Columns = std::vector<std::pair<std::string, std::string>>;  // name and place

  std::string path = {};
  Columns columns = {};        // the first holds the samples
  std::string test_path = {};  // of the test samples, "" = path
  Columns test_columns = {};   // {} = columns; neither: `test_share` of the samples are for tests
  double test_share = 0.2;
  std::vector<std::string> categories = {"label"};  // columns of categories, as far as they are there
  Index classes = 0;                                // of each of them; 0: the largest category and one
  std::uint64_t memory = std::uint64_t{1} << 30;    // bytes above which a column stays in its HDF5 file

  bool header = true;  // of CSV: the first line names the columns
  char separator = ',';
  std::vector<std::string> bytes = {}, integers = {"lengths"};  // columns that hold no real numbers
  Shape resize = {}, crop = {};  // of pictures: {height, width} (PictureFolderOptions)
};

/// Images as sequences: of rows, which they are already, or of pixels [784, 1], row by row or in an order
/// drawn under the data's seed, the same for all images.
enum class PixelSequence { Rows, Pixels, Permuted };

struct DatasetOptions {
  Index train = 0, test = 0;  // number of samples; 0 = all there are (generators: their default)
  std::uint64_t seed = 0;     // of generators, and of the draw of splits
  Index size = 0;  // bars_and_stripes: the side, 0 = 4; shifter, parity: the bits of a pattern, 0 = 8;
                   // sparse_signals: the measurements (codes: twice that), 0 = 250
  bool count_plain_twice =
      false;                  // bars_and_stripes: all-white and all-black each twice, as bars and as stripes
  PatchOptions patches = {};  // of image sets
  std::string path = {};      // "images": what read_images() takes; "text": a file
  std::string inside = {};    // "images": the dataset in an HDF5 file, "" = the only one
  FileOptions file = {};      // "file"
  TextOptions text = {};      // "text", "shakespeare"
  Index length = 0;           // adding: entries of a sequence, 0 = 200; copy_memory: the delay, 0 = 30
  std::vector<Index> batches = {};  // cifar10: the training files 1 .. 5, {} = those that are there
  PixelSequence sequence = PixelSequence::Rows;  // mnist

  std::uint64_t import_limit = 0;  // bytes that the data may take while they are read or made (ImportLimit)

  double validation = 0.0;            // taken from the training samples: how many, or below 1 their share
  Index labels = 0;                   // training samples whose labels may be used; 0 = all
  std::uint64_t labels_seed = 0;      // of their draw
  Index few_train = 0, few_test = 0;  // of a smoke run: no more than so many of the samples made; 0 = all
};

/// What basin knows of a data set: embedded generators need no file, and files without addresses must be had
/// by hand. A new data set is a file in data/sets/ and a row in catalog.cpp.
struct CatalogEntry {
  std::string name;         // "mnist"
  std::string description;  // one line
  std::string folder = {};  // under a data folder; "" for generators
  std::vector<RemoteFile> files = {};
  std::string by_hand = {};  // for files without addresses: what to do, for the end of a message
  bool needs_path = false;   // the user names a file or folder
  bool costly = false;       // takes time for every sample: a smoke run makes few
  bool in_order = false;     // its parts are given, validation samples among them: none may be drawn
  /// Reads its own keys of [data]; null: it has none.
  void (*read)(const Reader& in, DatasetOptions& options) = nullptr;
  Dataset (*load)(const CatalogEntry& entry, const DatasetOptions& options) = nullptr;
};

const std::vector<CatalogEntry>& catalog();
/// Throws Error naming the nearest known data set.
const CatalogEntry& find_entry(const std::string& name);

/// Folders searched, in order: $BASIN_DATA (if set), ./data.
std::vector<std::string> data_folders();
/// Where the entry's file lies: FOLDER/entry.folder/NAME or FOLDER/NAME in each folder, else there without
/// ".gz".
std::optional<std::string> find_file(const CatalogEntry& entry, const RemoteFile& file);
/// The same; throws Error with the folders searched and the command that fetches it, or what to do by hand.
std::string locate(const CatalogEntry& entry, const RemoteFile& file);

/// locate(), then SHA-256. Returns the path. Throws Error when the file is not found or not the official one.
std::string verify_file(const CatalogEntry& entry, const RemoteFile& file);

/// Whether a program can download it.
bool is_downloadable(const CatalogEntry& entry);

/// A data set and what is taken of it.
struct DatasetChoice {
  std::string name;
  DatasetOptions options;
};
/// Reads `name`, the keys that all data sets have (train, test, seed, validation, labels, labels_seed), and
/// its own, from a table [data]. Throws Error with file, line and column.
DatasetChoice read_dataset(const Config& table);

/// The data set of a name: what its entry loads, then the splits. Throws Error for an unknown name,
/// unreadable files, and splits for which there are too few samples.
Dataset load_dataset(const std::string& name, const DatasetOptions& options = {});

}  // namespace basin
