#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

#include "results/hdf5/hdf5_handle.h"
#include "results/hdf5/hdf5_image.h"

namespace basin {
namespace {

/// Of a text of at least this length, or H5T_VARIABLE.
Hdf5Handle text_type(std::size_t longest) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::max<std::size_t>(1, longest));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return {type, H5Tclose, "making a type for texts"};
}

Hdf5Handle space_of(const Shape& shape, const std::string& path) {
  if (shape.empty()) {
    return {H5Screate(H5S_SCALAR), H5Sclose, path};
  }
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, path};
}

/// One dataset or attribute, in the terms of HDF5.
struct Block {
  hid_t stored, in_memory;  // types
  const void* data;
};

class Writer {
 public:
  explicit Writer(hid_t file)
      : file_(file),
        group_options_(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "options of groups"),
        dataset_options_(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "options of datasets") {
    H5Pset_obj_track_times(group_options_, false);
    H5Pset_obj_track_times(dataset_options_, false);
    H5Pset_fill_time(dataset_options_, H5D_FILL_TIME_NEVER);
  }

  void make_group(const std::string& path) {
    const Hdf5Handle group(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, group_options_, H5P_DEFAULT),
                           H5Gclose, path);
  }

  void write(const std::string& path, const Store::Entry& entry) {
    if (const auto* tensor = std::get_if<Tensor>(&entry.content)) {
      const bool narrow = tensor->dtype() == Dtype::F32;
      write(path, entry.shape,
            {narrow ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, narrow ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE,
             tensor->data()});
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&entry.content)) {
      write(path, entry.shape, {H5T_STD_I64LE, H5T_NATIVE_INT64, integers->data()});
    } else if (const auto* text = std::get_if<std::string>(&entry.content)) {
      const Hdf5Handle type = text_type(text->size());
      write(path, Shape{}, {type, type, text->c_str()});
    } else {
      write_texts(path, std::get<std::vector<std::string>>(entry.content));
    }
  }

  void write_attribute(const std::string& path, const std::string& name, const Store::Scalar& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      write_attribute(path, name, {H5T_STD_I64LE, H5T_NATIVE_INT64, integer});
    } else if (const auto* number = std::get_if<double>(&value)) {
      write_attribute(path, name, {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, number});
    } else {
      // Python takes an attribute for bytes where its length is fixed.
      const char* const text = std::get<std::string>(value).c_str();
      const Hdf5Handle type = text_type(H5T_VARIABLE);
      write_attribute(path, name, {type, type, &text});
    }
  }

 private:
  void write(const std::string& path, const Shape& shape, const Block& block) {
    const Hdf5Handle space = space_of(shape, path);
    const Hdf5Handle dataset(
        H5Dcreate2(file_, path.c_str(), block.stored, space, H5P_DEFAULT, dataset_options_, H5P_DEFAULT),
        H5Dclose, path);
    if (H5Sget_simple_extent_npoints(space) > 0) {
      hdf5_check(H5Dwrite(dataset, block.in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data), path);
    }
  }

  void write_texts(const std::string& path, const std::vector<std::string>& texts) {
    std::size_t longest = 1;
    for (const std::string& text : texts) {
      longest = std::max(longest, text.size());
    }
    std::string padded;
    for (const std::string& text : texts) {
      padded += text;
      padded.append(longest - text.size(), '\0');
    }
    const Hdf5Handle type = text_type(longest);
    write(path, Shape{static_cast<Index>(texts.size())}, {type, type, padded.data()});
  }

  void write_attribute(const std::string& path, const std::string& name, const Block& block) {
    const std::string what = fmt::format("attribute '{}' of {}", name, path);
    const Hdf5Handle object(H5Oopen(file_, path.c_str(), H5P_DEFAULT), H5Oclose, what);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, what);
    const Hdf5Handle attribute(
        H5Acreate2(object, name.c_str(), block.stored, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
    hdf5_check(H5Awrite(attribute, block.in_memory, block.data), what);
  }

  hid_t file_;
  Hdf5Handle group_options_, dataset_options_;
};

/// Every group that something needs, parents first.
std::set<std::string> groups_of(const Hdf5Content& content) {
  std::set<std::string> groups;
  const auto add_parents = [&](const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      groups.insert(path.substr(0, slash));
    }
  };
  for (const auto& [path, entry] : content.entries) {
    add_parents(path);
  }
  for (const auto& [path, attributes] : content.attributes) {
    add_parents(path);
    if (path != "/" && content.entries.count(path) == 0) {
      groups.insert(path);
    }
  }
  return groups;
}

constexpr std::size_t kHeader = 48;  // bytes, with the checksum

/// Catches the bytes of a file in memory at the moment HDF5 closes it. (H5Fget_file_image on the open file
/// resets a flag in it after its checksum was computed, so that nobody can open the result.)
class Catcher {
 public:
  explicit Catcher(hid_t access) {
    H5FD_file_image_callbacks_t callbacks{};
    callbacks.image_malloc = [](size_t size, H5FD_file_image_op_t, void*) { return std::malloc(size); };
    callbacks.image_memcpy = [](void* to, const void* from, size_t size, H5FD_file_image_op_t, void*) {
      return std::memcpy(to, from, size);
    };
    callbacks.image_realloc = [](void* old, size_t size, H5FD_file_image_op_t, void*) {
      return std::realloc(old, size);
    };
    callbacks.image_free = [](void* bytes, H5FD_file_image_op_t when, void* self) -> herr_t {
      if (when == H5FD_FILE_IMAGE_OP_FILE_CLOSE) {
        static_cast<Catcher*>(self)->bytes_.reset(static_cast<char*>(bytes));
      } else {
        std::free(bytes);
      }
      return 0;
    };
    callbacks.udata_copy = [](void* self) { return self; };
    callbacks.udata_free = [](void*) -> herr_t { return 0; };
    callbacks.udata = this;
    hdf5_check(H5Pset_file_image_callbacks(access, &callbacks), kWhat);
  }

  /// The file, without the room to grow behind it.
  std::string bytes() const {
    const std::uint64_t length = bytes_ == nullptr ? 0 : hdf5_length({bytes_.get(), kHeader});
    if (length == 0) {
      hdf5_fail(kWhat);
    }
    return {bytes_.get(), static_cast<std::size_t>(length)};
  }

 private:
  static constexpr const char* kWhat = "making a file in memory";
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Free> bytes_;
};

void write_content(hid_t file, const Hdf5Content& content) {
  Writer writer(file);
  for (const std::string& group : groups_of(content)) {
    writer.make_group(group);
  }
  for (const auto& [path, entry] : content.entries) {
    writer.write(path, entry);
  }
  for (const auto& [path, attributes] : content.attributes) {
    for (const auto& [name, value] : attributes) {
      writer.write_attribute(path, name, value);
    }
  }
  hdf5_check(H5Fflush(file, H5F_SCOPE_GLOBAL), "writing the file in memory");
}

}  // namespace

std::uint64_t hdf5_length(std::string_view bytes) {
  // Signature, version, two sizes and flags, then the addresses of base, extension and end.
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  constexpr std::size_t kVersionAt = 8, kLengthAt = 28;
  std::uint64_t length = 0;
  if (bytes.size() < kHeader || !bytes.starts_with(kSignature)) return length;
  if (bytes[kVersionAt] == 2 || bytes[kVersionAt] == 3) {
    std::memcpy(&length, bytes.data() + kLengthAt, sizeof length);
  }
  return length;
}

std::string write_hdf5(const Hdf5Content& content) {
  const Hdf5Session session;
  const Hdf5Handle access = hdf5_memory_access();
  const Catcher catcher(access);
  const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "options of the file");
  H5Pset_obj_track_times(creation, false);  // of the root group
  {
    const Hdf5Handle file(H5Fcreate("results.h5", H5F_ACC_TRUNC, creation, access), H5Fclose,
                          "making a file in memory");
    write_content(file, content);
  }
  return catcher.bytes();
}

}  // namespace basin
