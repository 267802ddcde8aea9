#include "data/images/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "data/images/image_files.h"
#include "data/readers/idx.h"
#include "results/files/atomic_file.h"
#include "results/hdf5/trial.h"
#include "results/pictures/picture.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

ImageStack read_folder(const std::string& path, const ImportLimit& limit) {
  std::vector<std::string> files;
  std::size_t others = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (is_picture(entry.path().string())) {
      files.push_back(entry.path().string());
    } else {
      ++others;
    }
  }
  if (files.empty()) {
    image_fail(path, fmt::format("expected PNG or JPEG files in the folder, found {}",
                                 others == 0 ? "nothing"
                                             : fmt::format("{} files of other types and folders", others)));
  }
  std::ranges::sort(files);
  ImageStack images;
  for (const std::string& file : files) images.push_back(read_picture(file, limit));
  return images;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t word = 0;
  for (const char byte : bytes.substr(0, 4)) word = word << 8 | static_cast<std::uint8_t>(byte);
  return word;
}

}  // namespace

bool is_picture(const std::string& path) {
  const std::string name = lower(path);
  return name.ends_with(".png") || name.ends_with(".jpg") || name.ends_with(".jpeg");
}

Image read_picture(const std::string& path, const ImportLimit& limit) {
  return lower(path).ends_with(".png") ? read_png_image(path, limit) : read_jpeg_image(path, limit);
}

std::string read_picture_file(const std::string& path, const ImportLimit& limit) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error) limit.take("[images] " + path, 0, size);
  return read_whole(path);
}

void image_fail(const std::string& path, const std::string& what) {
  throw Error(fmt::format("[images] {}: {}", path, what));
}

void expect_room(const std::string& path, std::uint64_t width, std::uint64_t height, std::uint64_t length,
                 std::uint64_t most) {
  if (width == 0 || height == 0) image_fail(path, "the header states a picture without pixels");
  if (width > length * most / height) {
    image_fail(
        path, fmt::format(
                  "the header states {} x {} pixels, more than {} bytes can hold; it is cut short or damaged",
                  width, height, length));
  }
}

Tensor grey_from_bytes(std::span<const std::uint8_t> bytes, Index height, Index width, Index channels) {
  const Tensor grey({height, width});
  float* out = grey.host<float>();
  for (Index p = 0; p < height * width; ++p) {
    const std::uint8_t* in = bytes.data() + p * channels;
    out[p] = channels == 1 ? static_cast<float>(in[0]) / 255.0f
                           : (0.299f * static_cast<float>(in[0]) + 0.587f * static_cast<float>(in[1]) +
                              0.114f * static_cast<float>(in[2])) /
                                 255.0f;
  }
  return grey;
}

Image read_png_image(const std::string& path, const ImportLimit& limit) {
  // Signature, then the chunk IHDR: width, height, bits a sample, ... (PNG specification, section 11.2.2).
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  constexpr std::size_t kHeader = 33;
  constexpr std::uint64_t kDeflatePixels =
      1032 * 8;  // a byte of deflate stands for at most 1032 bytes of one-bit pixels
  constexpr std::uint64_t kKept = sizeof(float), kPassing = 4 + 3;  // a pixel: cairo's, and red, green, blue
  const std::string bytes = read_picture_file(path, limit);
  if (!bytes.starts_with(kSignature) || bytes.size() < kHeader || bytes.compare(12, 4, "IHDR") != 0) {
    image_fail(path, "expected a PNG picture, received something else or the first bytes of one");
  }
  const std::string_view header = bytes;
  const std::uint64_t width = big_endian(header.substr(16)), height = big_endian(header.substr(20));
  expect_room(path, width, height, bytes.size(), kDeflatePixels);
  if (bytes[24] == 16)
    image_fail(
        path, "expected at most 8 bits a sample, received 16; convert it, for example by 'convert -depth 8'");
  // Cairo, which decodes it, counts sides by 15 bits and bytes by 31.
  constexpr std::uint64_t kLongest = (1 << 15) - 1, kMostPixels = ((std::uint64_t{1} << 31) - 1) / 4;
  if (width > kLongest || height > kLongest || width > kMostPixels / height)
    image_fail(path,
               fmt::format("has {} x {} pixels, more than can be read of one PNG picture, {} and sides of "
                           "{}; make it smaller, or cut it into several",
                           width, height, kMostPixels, kLongest));
  limit.take("[images] " + path, checked_product({kKept, width, height}),
             checked_product({kPassing, width, height}));
  const Picture picture = [&] {
    try {
      return load_png(path);
    } catch (const Error& error) {
      image_fail(path, fmt::format("a damaged PNG picture, or one cut short ({})", error.what()));
    }
  }();
  return {path, grey_from_bytes(picture.pixels, picture.height, picture.width, picture.channels)};
}

ImageStack read_idx_images(const std::string& path, const ImportLimit& limit) {
  const IdxArray array = read_idx(path, 3, limit);
  const Index count = array.shape[0], height = array.shape[1], width = array.shape[2];
  if (element_count(array.shape) == 0)
    image_fail(path, fmt::format("expected images, received the shape {}", to_string(array.shape)));
  limit.take("[images] " + path, checked_product<std::uint64_t>({sizeof(float), array.bytes.size()}));
  ImageStack images;
  for (Index n = 0; n < count; ++n) {
    const std::span<const std::uint8_t> bytes(array.bytes.data() + n * height * width,
                                              static_cast<std::size_t>(height * width));
    images.push_back({fmt::format("{}, image {}", path, n), grey_from_bytes(bytes, height, width, 1)});
  }
  return images;
}

ImageStack read_images(const std::string& path, const std::string& inside, const ImportLimit& limit) {
  std::error_code error;
  const std::string name = lower(path);
  const bool is_hdf5 = name.ends_with(".h5") || name.ends_with(".hdf5");
  if (!inside.empty() && !is_hdf5) {
    image_fail(
        path,
        fmt::format(
            "expected an HDF5 file (.h5) for the dataset '{}' inside, received another file or a folder",
            inside));
  }
  if (fs::is_directory(path, error)) return read_folder(path, limit);
  if (!fs::is_regular_file(path, error))
    image_fail(path, "expected a file or a folder, found none; check the path");
  if (is_hdf5) {
    const auto read = [&] { return read_hdf5_images(path, inside, limit); };
    try_to_read(path, read, fs::file_size(path));
    return read();
  }
  if (is_picture(path)) return {read_picture(path, limit)};
  if (name.ends_with("idx3-ubyte") || name.ends_with("idx3-ubyte.gz")) return read_idx_images(path, limit);
  image_fail(path,
             "unknown kind of file; known: .h5, .hdf5, .png, .jpg, .jpeg, idx3-ubyte, idx3-ubyte.gz, or a "
             "folder of PNG and JPEG files");
}

}  // namespace basin
