#include "data/images/picture_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "data/images/image_files.h"
#include "data/images/resize.h"
#include "tensor/checked.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::string path;
  std::int32_t folder;
};

/// What is in a folder, by name, without hidden files.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with('.')) found.push_back(at->path());
  }
  if (error) image_fail(folder.string(), fmt::format("cannot be listed: {}", error.message()));
  std::ranges::sort(found);
  return found;
}

std::vector<Found> find(const std::string& path, std::vector<std::string>& folders) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    image_fail(path, "expected a folder of pictures, found none; check the path");
  std::vector<Found> found;
  const auto add = [&](const fs::path& file, std::int32_t folder) {
    if (!is_picture(file.string()))
      image_fail(file.string(), "expected PNG or JPEG files, received another; convert it, or take it away");
    found.push_back({file.string(), folder});
  };
  for (const fs::path& entry : entries(path)) {
    if (!fs::is_directory(entry, error)) {
      add(entry, -1);
      continue;
    }
    const auto folder = static_cast<std::int32_t>(folders.size());
    folders.push_back(entry.filename().string());
    for (const fs::path& file : entries(entry)) {
      if (fs::is_directory(file, error))
        image_fail(file.string(), "expected pictures one folder deep, received a folder in a subfolder");
      add(file, folder);
    }
  }
  if (found.empty()) image_fail(path, "expected PNG or JPEG files in the folder, found none");
  return found;
}

Tensor fitted(const Image& image, const PictureFolderOptions& options, const ImportLimit& limit) {
  Tensor pixels = image.pixels;
  if (!options.resize.empty()) {
    const auto numbers = static_cast<std::uint64_t>(element_count(options.resize) +
                                                    element_count({pixels.dim(0), options.resize[1]}));
    limit.take("[images] " + image.name + ", resized", 0, sizeof(float) * numbers);
    pixels = resized(pixels, options.resize[0], options.resize[1]);
  }
  if (options.crop.empty()) return pixels;
  if (options.crop[0] > pixels.dim(0) || options.crop[1] > pixels.dim(1)) {
    image_fail(image.name, fmt::format("has {} x {} pixels, fewer than crop = [{}, {}]; take less, or resize",
                                       pixels.dim(0), pixels.dim(1), options.crop[0], options.crop[1]));
  }
  return middle(pixels, options.crop[0], options.crop[1]);
}

}  // namespace

PictureFolder read_picture_folder(const std::string& path, const PictureFolderOptions& options,
                                  const ImportLimit& limit) {
  PictureFolder result;
  const std::vector<Found> pictures = find(path, result.folders);
  for (const Found& file : pictures) {
    const Image image = read_picture(file.path, limit);
    const Tensor pixels = fitted(image, options, limit);
    const auto size = static_cast<std::size_t>(pixels.size());
    if (result.shape.empty()) {
      result.shape = pixels.shape();
      limit.take("[images] " + path, checked_product<std::uint64_t>({size, pictures.size()}));
      result.pixels.reserve(size * pictures.size());
    } else if (pixels.shape() != result.shape) {
      image_fail(file.path,
                 fmt::format("has {} x {} pixels, the first of the folder has {} x {}; bring all to "
                             "one size by resize or crop = [height, width]",
                             pixels.dim(0), pixels.dim(1), result.shape[0], result.shape[1]));
    }
    for (std::size_t p = 0; p < size; ++p)
      result.pixels.push_back(static_cast<std::uint8_t>(std::lround(255.0f * pixels.host<float>()[p])));
    result.folder.push_back(file.folder);
    limit.give_back(static_cast<std::uint64_t>(image.pixels.size()) * sizeof(float));
  }
  return result;
}

}  // namespace basin
