#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>

#include "data/images/image_files.h"
#include "data/readers/hdf5_stored.h"
#include "results/hdf5/hdf5_handle.h"
#include "tensor/checked.h"

namespace basin {
namespace {

/// [N, H, W], [N, H, W, C] or [N, C, H, W] with C = 1 or 3.
struct Layout {
  Index count = 0, height = 0, width = 0, channels = 0;  // no channels: not the shape of images
  bool channels_last = true;
};

Layout layout_of(const Shape& shape) {
  const auto is_channels = [](Index extent) { return extent == 1 || extent == 3; };
  if (shape.size() == 3) return {shape[0], shape[1], shape[2], 1, true};
  if (shape.size() == 4 && is_channels(shape[3])) return {shape[0], shape[1], shape[2], shape[3], true};
  if (shape.size() == 4 && is_channels(shape[1])) return {shape[0], shape[2], shape[3], shape[1], false};
  return {};
}

/// Names of the datasets with the shape of images, among those in the root group.
std::vector<std::string> find_images(hid_t file, const std::string& path) {
  std::vector<std::string> found;
  const Hdf5Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, path);
  for (const std::string& name : hdf5_names(root, path)) {
    H5L_info_t link{};
    hdf5_check(H5Lget_info(file, name.c_str(), &link, H5P_DEFAULT), path);
    if (link.type != H5L_TYPE_HARD) continue;
    const Hdf5Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose, path);
    if (H5Iget_type(object) == H5I_DATASET && layout_of(hdf5_shape(object, path)).channels > 0)
      found.push_back(name);
  }
  return found;
}

/// What the file's numbers are divided by.
float unit_of(hid_t dataset, const std::string& what) {
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose, what);
  const std::size_t size = H5Tget_size(type);
  if (H5Tget_class(type) == H5T_FLOAT && (size == sizeof(float) || size == sizeof(double))) return 1.0f;
  if (H5Tget_class(type) == H5T_INTEGER && size == 1 && H5Tget_sign(type) == H5T_SGN_NONE) return 255.0f;
  image_fail(what, "expected f32, f64 or u8 numbers, received another type; convert it");
}

Tensor luma(const Tensor& numbers, const Layout& layout) {
  const Tensor grey({layout.count, layout.height, layout.width});
  const Index area = layout.height * layout.width;
  const Index pixel = layout.channels_last ? 3 : 1, channel = layout.channels_last ? 1 : area;
  for (Index n = 0; n < layout.count; ++n) {
    const float* in = numbers.host<float>() + n * 3 * area;
    float* out = grey.host<float>() + n * area;
    for (Index p = 0; p < area; ++p, in += pixel)
      out[p] = 0.299f * in[0] + 0.587f * in[channel] + 0.114f * in[2 * channel];
  }
  return grey;
}

void expect_finite(const Image& image) {
  const float* pixels = image.pixels.host<float>();
  for (Index p = 0; p < image.pixels.size(); ++p) {
    if (!std::isfinite(pixels[p])) {
      image_fail(
          image.name,
          fmt::format("expected finite pixels, received {} in row {}, column {}; mend or remove the image",
                      pixels[p], p / image.pixels.dim(1), p % image.pixels.dim(1)));
    }
  }
}

}  // namespace

ImageStack read_hdf5_images(const std::string& path, const std::string& inside, const ImportLimit& limit) {
  const Hdf5Session session;
  const Hdf5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose,
                        fmt::format("{}: cannot be read as HDF5, is it cut short?", path));
  std::string name = inside;
  if (name.empty()) {
    const std::vector<std::string> found = find_images(file, path);
    if (found.size() != 1) {
      image_fail(
          path,
          fmt::format(
              "expected one dataset of images [N, H, W], [N, H, W, 3] or [N, 3, H, W] inside, found {}{}",
              found.size(),
              found.empty() ? "" : fmt::format(" ({}); name the one to take", fmt::join(found, ", "))));
    }
    name = found.front();
  }
  const std::string what = fmt::format("{}, dataset {}", path, name);
  const Hdf5Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, what);
  const Shape shape = hdf5_shape(dataset, what);
  const Layout layout = layout_of(shape);
  if (layout.channels == 0 || element_count(shape) == 0) {
    image_fail(
        what, fmt::format(
                  "expected images [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels, received {}",
                  to_string(shape)));
  }
  const float unit = unit_of(dataset, what);
  const std::uint64_t chunk = hdf5_expect_stored(dataset, shape, std::filesystem::file_size(path), what);
  const auto pixels = static_cast<std::uint64_t>(layout.count * layout.height * layout.width),
             colours = static_cast<std::uint64_t>(layout.channels == 3 ? 3 : 0);
  limit.take("[images] " + what, checked_product<std::uint64_t>({sizeof(float), pixels}),
             sizeof(float) * pixels * colours + chunk);
  Tensor numbers(shape);
  hdf5_check(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()), what);
  if (unit != 1.0f) {
    for (Index i = 0; i < numbers.size(); ++i) numbers.host<float>()[i] /= unit;
  }
  const Tensor grey = layout.channels == 3 ? luma(numbers, layout) : numbers;
  const Tensor flat = grey.reshaped({layout.count, layout.height * layout.width});
  ImageStack images;
  for (Index n = 0; n < layout.count; ++n) {
    images.push_back(
        {fmt::format("{}, image {}", what, n), flat.rows(n, n + 1).reshaped({layout.height, layout.width})});
    expect_finite(images.back());
  }
  return images;
}

}  // namespace basin
