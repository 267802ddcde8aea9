#pragma once

#include <string>
#include <vector>

#include "data/import_limit.h"
#include "tensor/tensor.h"

namespace basin {

/// A grey picture: f32 [height, width] on the host. Bytes become byte / 255; floating-point files keep their
/// numbers.
struct Image {
  std::string name;  // where it is from, for messages
  Tensor pixels;
};

/// Pictures, each of its own size.
using ImageStack = std::vector<Image>;

/// Reads pictures by what lies at `path`:
///   a folder          every .png, .jpg and .jpeg in it (not below it), by name
///   .png .jpg .jpeg   one picture
///   .h5 .hdf5         the dataset `inside` of f32, f64 or u8 [N, H, W], [N, H, W, C] or [N, C, H, W] with C
///                     = 1 or 3; "" = the only one of such a shape outside all groups
///   idx3-ubyte[.gz]   [N, H, W] bytes
/// Colours become luma, 0.299 R + 0.587 G + 0.114 B. Pictures lie as they are stored: a camera's note on how
/// it was held is not heeded.
///
/// What a header declares is checked against the length of the file and against `limit` before memory is
/// taken. Throws Error
/// "[images] path: ..." for files that are damaged, cut short, lie about their size, are of another type or
/// hold nothing; and for a pixel that is not finite, with its place. Reference for luma: Rec. ITU-R BT.601.
ImageStack read_images(const std::string& path, const std::string& inside = "",
                       const ImportLimit& limit = ImportLimit());

}  // namespace basin
