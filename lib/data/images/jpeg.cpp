// jpeglib.h needs the C library's declarations before it.
#include <cstddef>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
// clang-format on

#include <fmt/format.h>

#include <array>
#include <csetjmp>

#include "data/images/image_files.h"

namespace basin {
namespace {

/// What libjpeg says went wrong. It ends a call by a jump: no object with a destructor may live in decode().
struct JpegErrors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is one to this
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> text;

  static void fail(j_common_ptr info) {
    auto* errors = reinterpret_cast<JpegErrors*>(info->err);
    info->err->format_message(info, errors->text.data());
    std::longjmp(errors->back, 1);
  }
  /// libjpeg would go on behind damaged or missing data with grey pixels.
  static void warn(j_common_ptr info, int level) {
    if (level < 0) fail(info);
  }
};

struct Decoder {
  jpeg_decompress_struct info{};
  JpegErrors errors{};

  Decoder() {
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = JpegErrors::fail;
    errors.manager.emit_message = JpegErrors::warn;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }
};

/// Reads the header. False, with errors.text, when libjpeg cannot.
bool open(Decoder& decoder, const std::string& bytes) {
  if (setjmp(decoder.errors.back) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

/// Grey pixels into `out`, width x height. False, with errors.text, when libjpeg cannot.
bool decode(Decoder& decoder, std::uint8_t* out) {
  if (setjmp(decoder.errors.back) != 0) return false;
  decoder.info.out_color_space = JCS_GRAYSCALE;
  decoder.info.dct_method = JDCT_ISLOW;  // the same pixels on every machine
  jpeg_start_decompress(&decoder.info);
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = out + std::size_t{decoder.info.output_scanline} * decoder.info.output_width;
    jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  jpeg_finish_decompress(&decoder.info);
  return true;
}

}  // namespace

Image read_jpeg_image(const std::string& path, const ImportLimit& limit) {
  constexpr std::uint64_t kMostPixels =
      1024;  // a byte: a block of 64 pixels takes a bit at least; twice that for good measure
  const std::string bytes = read_picture_file(path, limit);
  Decoder decoder;
  if (!open(decoder, bytes))
    image_fail(path, fmt::format("expected a JPEG picture: {}", decoder.errors.text.data()));
  const std::uint64_t width = decoder.info.image_width, height = decoder.info.image_height;
  expect_room(path, width, height, bytes.size(), kMostPixels);
  const J_COLOR_SPACE colours = decoder.info.jpeg_color_space;
  if (colours != JCS_GRAYSCALE && colours != JCS_YCbCr && colours != JCS_RGB) {
    image_fail(path,
               "expected a grey, YCbCr or RGB picture, received other colours (CMYK?); convert it to RGB");
  }
  // Several scans are put together in memory: two bytes a coefficient of each colour, in blocks.
  constexpr std::uint64_t kBlock = 32, kCoefficients = 3 * 2;
  const auto whole = [](std::uint64_t side) { return (side + kBlock - 1) / kBlock * kBlock; };
  const std::uint64_t scans =
      jpeg_has_multiple_scans(&decoder.info) ? kCoefficients * whole(width) * whole(height) : 0;
  limit.take("[images] " + path, sizeof(float) * width * height, width * height + scans);
  std::vector<std::uint8_t> grey(width * height);
  if (!decode(decoder, grey.data()))
    image_fail(path, fmt::format("the picture is damaged: {}", decoder.errors.text.data()));
  return {path, grey_from_bytes(grey, static_cast<Index>(height), static_cast<Index>(width), 1)};
}

}  // namespace basin
