#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/import_limit.h"
#include "tensor/shape.h"

namespace basin {

struct PictureFolderOptions {
  Shape resize = {};  // {height, width}; {}: pictures are taken as they are, and must be of one size
  Shape crop = {};    // {height, width} of the middle that is taken, after `resize`
};

/// Pictures of one size as samples of bytes, in the order of their names.
struct PictureFolder {
  Shape shape;                       // {height, width}
  std::vector<std::uint8_t> pixels;  // colours as luma, as read_images() has it
  std::vector<std::string> folders;  // names of the subfolders, sorted
  std::vector<std::int32_t> folder;  // of each picture: the place of its own; -1: it lies outside of all
};

/// Reads the PNG and JPEG files of a folder and of its subfolders, one level deep. Files whose names begin
/// with a dot are left out; any other file is an error, so that no sample is lost unseen. Throws Error naming
/// the picture that is damaged, or of another size than the first.
PictureFolder read_picture_folder(const std::string& path, const PictureFolderOptions& options = {},
                                  const ImportLimit& limit = ImportLimit());

}  // namespace basin
