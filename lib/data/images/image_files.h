#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/images/images.h"

namespace basin {

/// The readers behind read_images, one a format; they throw as it does.
Image read_png_image(const std::string& path, const ImportLimit& limit);
Image read_jpeg_image(const std::string& path, const ImportLimit& limit);
ImageStack read_idx_images(const std::string& path, const ImportLimit& limit);
ImageStack read_hdf5_images(const std::string& path, const std::string& inside, const ImportLimit& limit);

/// By its name: .png, .jpg or .jpeg, in letters of any size.
bool is_picture(const std::string& path);
/// One picture by its name.
Image read_picture(const std::string& path, const ImportLimit& limit);

/// The bytes of a file, held while it is read.
std::string read_picture_file(const std::string& path, const ImportLimit& limit);

[[noreturn]] void image_fail(const std::string& path, const std::string& what);

/// Throws Error unless a file of `length` bytes may hold so many pixels, `most` of which its format can pack
/// into a byte.
void expect_room(const std::string& path, std::uint64_t width, std::uint64_t height, std::uint64_t length,
                 std::uint64_t most);

/// Row-major bytes, channels (1 or 3) interleaved, as a picture in [0, 1].
Tensor grey_from_bytes(std::span<const std::uint8_t> bytes, Index height, Index width, Index channels);

}  // namespace basin
