#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// The content of a results file: named datasets in groups ("/metrics/epoch/loss"), with attributes, held in
/// memory and written to HDF5 as a whole. save() writes beside the target and renames, so that no reader ever
/// sees half a file.
///
/// Types map to plain HDF5 (f32, f64, i64, fixed-length UTF-8 text padded with zeros, so a text's own
/// trailing zeros are lost; texts of attributes have a length of their own, and no zeros); h5py, MATLAB
/// and h5dump read it. Equal stores give equal files, byte for byte
/// (no time stamps are kept by HDF5). Nothing is compressed: a checkpoint an epoch must cost milliseconds.
/// Paths may be given with or without the leading slash.
class Store {
 public:
  using Scalar = std::variant<std::int64_t, double, std::string>;

  /// All put functions replace what was there (its attributes stay). Throw Error when the path is empty, or
  /// when a dataset would have to be a group.
  void put(const std::string& path, const Tensor& tensor);  // copied to the host
  void put(const std::string& path, std::vector<double> values,
           Shape shape = {});  // {} = one axis; kept as an f64 tensor
  void put(const std::string& path, std::vector<std::int64_t> values, Shape shape = {});
  void put_number(const std::string& path, double number);         // a scalar, as
  void put_integer(const std::string& path, std::int64_t number);  // this is
  void put_text(const std::string& path, std::string text);
  void put_texts(const std::string& path, std::vector<std::string> texts);
  /// On a dataset or group ("" is the root; a group that holds nothing yet is made). Goes when its dataset or
  /// group is removed.
  void attribute(const std::string& path, const std::string& name, Scalar value);

  /// Of a dataset or a group.
  bool has(const std::string& path) const;
  /// Throw Error naming file and path when absent or of another type.
  Tensor tensor(const std::string& path, Device device = Device::Cpu) const;  // a copy
  std::vector<double> numbers(const std::string& path) const;
  std::vector<std::int64_t> integers(const std::string& path) const;
  /// The one number of a dataset of one.
  double number(const std::string& path) const;
  std::int64_t integer(const std::string& path) const;
  std::string text(const std::string& path) const;
  std::vector<std::string> texts(const std::string& path) const;
  Scalar attribute(const std::string& path, const std::string& name) const;
  /// Null when there is none.
  const Scalar* find_attribute(const std::string& path, const std::string& name) const;
  Shape shape(const std::string& path) const;  // {} for a text
  /// Paths of all datasets below a group, sorted.
  std::vector<std::string> list(const std::string& group = "/") const;
  void remove(const std::string& path);  // a dataset or a whole group; absent is no error

  /// What lies in a group, by paths relative to it. Shares the numbers.
  Store group(const std::string& path) const;
  /// Puts all of another store into a group, in place of what was there.
  void put_group(const std::string& path, const Store& content);

  /// With a seal (seal.h). Throws Error when the folder is missing, the disk is full, ...; the file at `path`
  /// is then what it was before.
  void save(const std::string& path) const;
  /// Throws Error when the file is absent, not HDF5, cut short, declares sizes its length cannot hold, or is
  /// not what save() wrote (see seal.h).
  static Store load(const std::string& path);

  /// The file that this came from, for messages; "the store" where it came from none.
  std::string source() const { return source_.empty() ? "the store" : source_; }

  struct Entry {
    std::variant<Tensor, std::vector<std::int64_t>, std::string, std::vector<std::string>> content;
    Shape shape;
  };
  /// A dataset as it is held, whatever its type. Throws Error when absent.
  const Entry& entry(const std::string& path) const;

 private:
  void insert(const std::string& path, Entry entry);
  void expect_one(const std::string& path, std::size_t count) const;
  template <class T>
  const T& get(const std::string& path, const char* wanted) const;

  std::map<std::string, Entry> entries_;                             // by "/a/b"
  std::map<std::string, std::map<std::string, Scalar>> attributes_;  // by "/a/b", "/" for the root
  std::string source_;                                               // the file loaded from, for messages
};

}  // namespace basin
