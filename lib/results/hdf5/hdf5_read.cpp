#include <fmt/format.h>
#include <hdf5.h>

#include "results/hdf5/hdf5_handle.h"
#include "results/hdf5/hdf5_image.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kDeepestGroup = 32;

class Reader {
 public:
  Reader(hid_t file, std::size_t length, std::string name)
      : file_(file), length_(length), name_(std::move(name)) {}

  Hdf5Content read() {
    read_attributes("/");
    read_group("/", 0);
    return std::move(content_);
  }

 private:
  std::string at(const std::string& path) const { return fmt::format("{}: {}", name_, path); }

  [[noreturn]] void refuse(const std::string& path, const std::string& what) const {
    throw Error(fmt::format("[hdf5] {}: {}", at(path), what));
  }

  void read_group(const std::string& path, int depth) {
    if (depth > kDeepestGroup) {
      refuse(path, "groups lie inside each other deeper than a results file has them");
    }
    const Hdf5Handle group(H5Gopen2(file_, path.c_str(), H5P_DEFAULT), H5Gclose, at(path));
    for (const std::string& name : hdf5_names(group, at(path)))
      read_link(group, name, (path == "/" ? "/" : path + "/") + name, depth);
  }

  void read_link(hid_t group, const std::string& name, const std::string& path, int depth) {
    H5L_info_t link{};
    hdf5_check(H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT), at(path));
    if (link.type != H5L_TYPE_HARD) {
      refuse(path, "expected a dataset or a group, received a link to elsewhere");
    }
    const Hdf5Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, at(path));
    const H5I_type_t type = H5Iget_type(object);
    if (type == H5I_GROUP) {
      read_attributes(path);
      read_group(path, depth + 1);
    } else if (type == H5I_DATASET) {
      read_attributes(path);
      read_dataset(object, path);
    } else {
      refuse(path, "expected a dataset or a group, received something else");
    }
  }

  /// Number of elements, after a check that the file can hold them.
  std::size_t count_of(hid_t space, hid_t type, const std::string& path) const {
    const hssize_t count = hdf5_check(H5Sget_simple_extent_npoints(space), at(path));
    const std::size_t size = H5Tget_size(type);
    if (size == 0 || static_cast<std::size_t>(count) > length_ / size) {
      refuse(path, fmt::format("declares {} elements of {} bytes, more than the file's {} bytes hold", count,
                               size, length_));
    }
    return static_cast<std::size_t>(count);
  }

  Shape shape_of(hid_t space, const std::string& path) const {
    const int rank = hdf5_check(H5Sget_simple_extent_ndims(space), at(path));
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    hdf5_check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), at(path));
    return Shape(extents.begin(), extents.end());
  }

  void read_dataset(hid_t dataset, const std::string& path) {
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, at(path));
    const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, at(path));
    const Hdf5Handle options(H5Dget_create_plist(dataset), H5Pclose, at(path));
    const H5D_layout_t layout = H5Pget_layout(options);
    if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) {
      refuse(path, "expected plain storage, received chunked or compressed storage");
    }
    if (H5Pget_external_count(options) != 0) {
      refuse(path, "expected its numbers in the file, received a reference to another file");
    }
    const std::size_t count = count_of(space, type, path);
    const auto read = [&](hid_t in_memory, void* data) {
      if (count > 0) {
        hdf5_check(H5Dread(dataset, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), at(path));
      }
    };
    const Shape shape = shape_of(space, path);
    content_.entries.emplace(path, read_entry(type, shape, count, path, read));
  }

  template <class Read>
  Store::Entry read_entry(hid_t type, const Shape& shape, std::size_t count, const std::string& path,
                          Read read) const {
    const std::size_t size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
      case H5T_FLOAT: {
        const bool narrow = size <= sizeof(float);
        Tensor tensor(shape, {narrow ? Dtype::F32 : Dtype::F64, Device::Cpu});
        read(narrow ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, tensor.data());
        return {tensor, shape};
      }
      case H5T_INTEGER: {
        std::vector<std::int64_t> values(count);
        read(H5T_NATIVE_INT64, values.data());
        return {std::move(values), shape};
      }
      case H5T_STRING: {
        if (H5Tis_variable_str(type) != 0 || shape.size() > 1) {
          refuse(path,
                 "expected texts of fixed length along at most one axis, received another kind of text");
        }
        std::string padded(count * size, '\0');
        read(type, padded.data());
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < count; ++i) {
          texts.push_back(padded.substr(i * size, size));
          texts.back().erase(texts.back().find_last_not_of('\0') + 1);
        }
        if (shape.empty()) {
          return {texts.front(), {}};
        }
        return {std::move(texts), shape};
      }
      default:
        refuse(path, "expected floating-point numbers, integers or text, received another type");
    }
  }

  void read_attributes(const std::string& path) {
    const Hdf5Handle object(H5Oopen(file_, path.c_str(), H5P_DEFAULT), H5Oclose, at(path));
    const int count = H5Aget_num_attrs(object);
    for (int i = 0; i < hdf5_check(count, at(path)); ++i) {
      const Hdf5Handle attribute(H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC,
                                                static_cast<hsize_t>(i), H5P_DEFAULT, H5P_DEFAULT),
                                 H5Aclose, at(path));
      const ssize_t size = hdf5_check(H5Aget_name(attribute, 0, nullptr), at(path));
      std::string name(static_cast<std::size_t>(size) + 1, '\0');
      hdf5_check(H5Aget_name(attribute, name.size(), name.data()), at(path));
      name.pop_back();
      content_.attributes[path][name] =
          read_attribute(attribute, fmt::format("{}, attribute '{}'", path, name));
    }
  }

  Store::Scalar read_attribute(hid_t attribute, const std::string& path) const {
    const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, at(path));
    const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, at(path));
    if (count_of(space, type, path) != 1) {
      refuse(path, "expected one value, received an array");
    }
    const auto read = [&](hid_t in_memory, void* data) {
      hdf5_check(H5Aread(attribute, in_memory, data), at(path));
    };
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) {
      char* text = nullptr;
      read(type, &text);
      std::string copy = text == nullptr ? "" : text;
      H5free_memory(text);
      return copy;
    }
    const Store::Entry entry = read_entry(type, {}, 1, path, read);
    if (const auto* tensor = std::get_if<Tensor>(&entry.content)) {
      return tensor->item();
    }
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&entry.content)) {
      return integers->front();
    }
    return std::get<std::string>(entry.content);
  }

  hid_t file_;
  std::size_t length_;
  std::string name_;
  Hdf5Content content_;
};

}  // namespace

Hdf5Content read_hdf5(std::string_view bytes, const std::string& name) {
  constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";
  if (!bytes.starts_with(kMagic)) {
    throw Error(fmt::format("[hdf5] {}: expected an HDF5 file, received {}", name,
                            bytes.empty()                  ? "an empty file"
                            : bytes.size() < kMagic.size() ? "a file cut short"
                                                           : "something else"));
  }
  const Hdf5Session session;
  const Hdf5Handle access = hdf5_memory_access();
  // HDF5 makes its own copy of the bytes; it only forgot the const.
  hdf5_check(H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()), name);
  const Hdf5Handle file(H5Fopen("results.h5", H5F_ACC_RDONLY, access), H5Fclose,
                        fmt::format("{}: cannot be read as HDF5, is it cut short?", name));
  return Reader(file, bytes.size(), name).read();
}

}  // namespace basin
