#include "data/images/images.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <stdio.h>

#include <cmath>
#include <functional>
#include <numeric>
// jpeglib.h needs stdio.h before it.
#include <jpeglib.h>

#include "results/hdf5/store.h"
#include "results/pictures/picture.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::read_file;
using test::TemporaryFolder;
using test::write_file;

std::string bytes_of_idx(std::uint32_t count, std::uint32_t height, std::uint32_t width, std::size_t length) {
  std::string bytes;
  for (const std::uint32_t word : {std::uint32_t{0x803}, count, height, width}) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(word >> shift & 255));
  }
  for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<char>(i * 7));
  return bytes;
}

/// A smooth picture of the best quality, whose pixels survive within 2 grey levels.
void write_jpeg(const std::string& path, int width, int height, int channels, J_COLOR_SPACE colours,
                std::vector<std::uint8_t> pixels) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  jpeg_stdio_dest(&info, file);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = colours;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = pixels.data() + y * width * channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::fclose(file);
}

/// The dataset `name` of a new file with whatever type, shape and creation properties.
template <class T>
void write_hdf5(const std::string& path, const std::string& name, hid_t type, std::vector<hsize_t> shape,
                const std::vector<T>& values, const std::function<void(hid_t)>& properties = {}) {
  const hid_t memory = std::is_same_v<T, float>    ? H5T_NATIVE_FLOAT
                       : std::is_same_v<T, double> ? H5T_NATIVE_DOUBLE
                                                   : H5T_NATIVE_UINT8;
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
              create = H5Pcreate(H5P_DATASET_CREATE);
  if (properties) properties(create);
  const hid_t dataset = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  if (!values.empty()) H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(dataset);
  H5Pclose(create);
  H5Sclose(space);
  H5Fclose(file);
}

std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) - 7.5f;
  return values;
}

std::vector<double> all(const ImageStack& images) {
  std::vector<double> values;
  for (const Image& image : images) {
    const std::vector<double> own = image.pixels.values();
    values.insert(values.end(), own.begin(), own.end());
  }
  return values;
}

class Images : public testing::Test {
 protected:
  std::string refusal(const std::string& path, const std::string& inside = "") const {
    const std::string text = error_of([&] { read_images(path, inside); });
    EXPECT_TRUE(contains(text, path)) << text;
    EXPECT_FALSE(contains(text, "\n")) << text;
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(Images, Hdf5PlainChunkedAndDeflated) {
  const std::vector<float> values = ramp(3 * 4 * 5);
  const std::vector<double> expected(values.begin(), values.end());
  const auto deflated = [](hid_t create) {
    const hsize_t chunk[] = {1, 3, 5};
    H5Pset_chunk(create, 3, chunk);
    H5Pset_shuffle(create);
    H5Pset_deflate(create, 6);
  };
  write_hdf5(folder_ / "plain.h5", "images", H5T_IEEE_F32BE, {3, 4, 5}, values);
  write_hdf5(folder_ / "deflated.h5", "images", H5T_IEEE_F32LE, {3, 4, 5}, values, deflated);
  write_hdf5(folder_ / "wide.HDF5", "images", H5T_IEEE_F64LE, {3, 4, 5}, std::vector<double>(expected));
  for (const char* name : {"plain.h5", "deflated.h5", "wide.HDF5"}) {
    const ImageStack images = read_images(folder_ / name);
    ASSERT_EQ(images.size(), 3u);
    EXPECT_EQ(images[1].pixels.shape(), (Shape{4, 5}));
    EXPECT_TRUE(contains(images[1].name, "image 1"));
    EXPECT_EQ(all(images), expected) << name;
  }
}

TEST_F(Images, Hdf5BytesAndColours) {
  write_hdf5(folder_ / "bytes.h5", "x", H5T_STD_U8LE, {1, 2, 2}, std::vector<std::uint8_t>{0, 51, 255, 102});
  EXPECT_EQ(all(read_images(folder_ / "bytes.h5")), (std::vector<double>{0, 51 / 255.0f, 1, 102 / 255.0f}));
  // Two pictures of 1 x 2 pixels in red, green, blue.
  write_hdf5(folder_ / "last.h5", "x", H5T_IEEE_F32LE, {2, 1, 2, 3},
             std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1});
  write_hdf5(folder_ / "first.h5", "x", H5T_IEEE_F32LE, {2, 3, 1, 2},
             std::vector<float>{1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1});
  for (const char* name : {"last.h5", "first.h5"}) {
    const std::vector<double> grey = all(read_images(folder_ / name));
    const std::vector<double> expected = {0.299, 0.587, 0.114, 1};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(grey[i], expected[i], 1e-6) << name;
  }
  write_hdf5(folder_ / "one.h5", "x", H5T_IEEE_F32LE, {2, 2, 3, 1}, ramp(12));
  EXPECT_EQ(read_images(folder_ / "one.h5")[1].pixels.shape(), (Shape{2, 3}));
}

TEST_F(Images, Hdf5NamesTheDataset) {
  Store store;
  store.put("/a", Tensor::zeros({2, 3, 4}));
  store.put("/deep/b", Tensor::full({1, 2, 2}, 2.0));
  store.put("/flat", Tensor::zeros({7}));
  store.save(folder_ / "several.h5");
  EXPECT_EQ(read_images(folder_ / "several.h5").size(), 2u) << "the only one of the shape outside groups";
  EXPECT_EQ(all(read_images(folder_ / "several.h5", "deep/b")), (std::vector<double>{2, 2, 2, 2}));
  EXPECT_TRUE(contains(refusal(folder_ / "several.h5", "flat"), "[7]"));
  EXPECT_NE(refusal(folder_ / "several.h5", "nothing"), "");
  store.put("/c", Tensor::zeros({2, 3, 4}));
  store.save(folder_ / "several.h5");
  EXPECT_TRUE(contains(refusal(folder_ / "several.h5"), "found 2 (a, c)"));
  EXPECT_TRUE(contains(refusal(write_file(folder_ / "x.png", "x"), "a"), "HDF5"));
}

TEST_F(Images, Hdf5ThatLiesIsRefusedBeforeMemoryIsTaken) {
  constexpr hsize_t kHuge = hsize_t{1} << 20;
  const auto chunked = [](hid_t create) {
    const hsize_t chunk[] = {1, 64, 64};
    H5Pset_chunk(create, 3, chunk);
  };
  write_hdf5<float>(folder_ / "chunked.h5", "x", H5T_IEEE_F32LE, {kHuge, kHuge, kHuge}, {},
                    chunked);  // nothing of it is written
  write_hdf5<float>(folder_ / "plain.h5", "x", H5T_IEEE_F32LE, {64, kHuge, kHuge}, {});
  for (const char* name : {"chunked.h5", "plain.h5"})
    EXPECT_TRUE(contains(refusal(folder_ / name), "can hold")) << name;
  write_hdf5(folder_ / "cut.h5", "x", H5T_IEEE_F32LE, {10, 20, 20}, ramp(4000));
  std::string bytes = read_file(folder_ / "cut.h5");
  bytes.resize(bytes.size() / 2);
  write_file(folder_ / "cut.h5", bytes);
  EXPECT_NE(refusal(folder_ / "cut.h5"), "");
  EXPECT_NE(refusal(write_file(folder_ / "text.h5", "no HDF5 at all")), "");
  write_hdf5<float>(folder_ / "empty.h5", "x", H5T_IEEE_F32LE, {0, 4, 4}, {});
  EXPECT_TRUE(contains(refusal(folder_ / "empty.h5"), "[0, 4, 4]"));
  write_hdf5<float>(folder_ / "integers.h5", "x", H5T_STD_I16LE, {1, 2, 2}, ramp(4));
  EXPECT_TRUE(contains(refusal(folder_ / "integers.h5"), "another type"));
}

TEST_F(Images, NamesThePixelThatIsNotFinite) {
  std::vector<float> values = ramp(3 * 4 * 5);
  values[2 * 20 + 1 * 5 + 3] = std::nanf("");
  write_hdf5(folder_ / "nan.h5", "x", H5T_IEEE_F32LE, {3, 4, 5}, values);
  const std::string text = refusal(folder_ / "nan.h5");
  EXPECT_TRUE(contains(text, "image 2") && contains(text, "row 1, column 3")) << text;
}

TEST_F(Images, Idx) {
  const std::string path = write_file(folder_ / "x-idx3-ubyte", bytes_of_idx(2, 3, 4, 24));
  const ImageStack images = read_images(path);
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1].pixels.shape(), (Shape{3, 4}));
  EXPECT_EQ(images[1].pixels.values()[1], 13 * 7 / 255.0f);
  EXPECT_NE(refusal(write_file(folder_ / "y-idx3-ubyte", bytes_of_idx(2, 3000, 4000, 24))), "");
  EXPECT_NE(refusal(write_file(folder_ / "z-idx3-ubyte", bytes_of_idx(0, 3, 4, 0))), "");
}

TEST_F(Images, PngGreyAndColour) {
  save_png({.width = 3, .height = 2, .channels = 1, .pixels = {0, 10, 20, 30, 40, 255}},
           folder_ / "grey.png");
  save_png({.width = 1, .height = 2, .channels = 3, .pixels = {255, 0, 0, 0, 255, 51}},
           folder_ / "colour.PNG");
  const ImageStack grey = read_images(folder_ / "grey.png"), colour = read_images(folder_ / "colour.PNG");
  EXPECT_EQ(grey[0].pixels.shape(), (Shape{2, 3}));
  EXPECT_EQ(all(grey), (std::vector<double>{0, 10 / 255.0f, 20 / 255.0f, 30 / 255.0f, 40 / 255.0f, 1}));
  EXPECT_NEAR(all(colour)[0], 0.299, 1e-6);
  EXPECT_NEAR(all(colour)[1], 0.587 + 0.114 / 5, 1e-6);
}

TEST_F(Images, PngThatLiesIsRefused) {
  save_png({.width = 3, .height = 2, .channels = 1, .pixels = {0, 10, 20, 30, 40, 255}}, folder_ / "p.png");
  const std::string good = read_file(folder_ / "p.png");
  const auto changed = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return write_file(folder_ / "q.png", bytes);
  };
  EXPECT_TRUE(contains(refusal(changed(17, 0x7f)), "can hold"));  // 8 million pixels wide
  EXPECT_TRUE(contains(refusal(changed(24, 16)), "16"));
  EXPECT_NE(refusal(changed(1, 'X')), "");
  EXPECT_NE(refusal(changed(19, 0)), "");
  EXPECT_NE(refusal(write_file(folder_ / "q.png", good.substr(0, 20))), "");
  EXPECT_NE(refusal(write_file(folder_ / "q.png", good.substr(0, good.size() - 25))), "");
}

TEST_F(Images, APngTooLargeToDecodeIsNotCalledDamaged) {
  save_png({.width = 3, .height = 2, .channels = 1, .pixels = {0, 10, 20, 30, 40, 255}}, folder_ / "p.png");
  std::string bytes = read_file(folder_ / "p.png");
  const auto sides = [&](std::uint32_t width, std::uint32_t height) {
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[16 + i] = static_cast<char>(width >> (24 - 8 * i) & 255);
      bytes[20 + i] = static_cast<char>(height >> (24 - 8 * i) & 255);
    }
    return refusal(write_file(folder_ / "q.png", bytes + std::string(200'000, '\0')));
  };
  for (const auto& [width, height] : {std::pair{30000u, 30000u}, {40000u, 10u}, {10u, 40000u}}) {
    const std::string error = sides(width, height);
    EXPECT_TRUE(contains(error, fmt::format("has {} x {} pixels, more than can be read", width, height)) &&
                contains(error, "536870911 and sides of 32767"))
        << error;
  }
  EXPECT_TRUE(contains(sides(3000, 3000), "damaged"));
}

/// Grey, or each channel the same function of place with another slope.
std::vector<std::uint8_t> smooth(int width, int height, int channels) {
  std::vector<std::uint8_t> pixels;
  for (int p = 0; p < width * height; ++p) {
    for (int c = 0; c < channels; ++c)
      pixels.push_back(static_cast<std::uint8_t>(3 * (p % width) + (4 + c) * (p / width)));
  }
  return pixels;
}

TEST_F(Images, JpegGreyAndColour) {
  constexpr int kWidth = 40, kHeight = 20;
  const std::vector<std::uint8_t> grey = smooth(kWidth, kHeight, 1), colour = smooth(kWidth, kHeight, 3);
  write_jpeg(folder_ / "grey.jpg", kWidth, kHeight, 1, JCS_GRAYSCALE, grey);
  write_jpeg(folder_ / "colour.JPEG", kWidth, kHeight, 3, JCS_RGB, colour);
  const ImageStack one = read_images(folder_ / "grey.jpg"), two = read_images(folder_ / "colour.JPEG");
  ASSERT_EQ(one[0].pixels.shape(), (Shape{kHeight, kWidth}));
  for (std::size_t p = 0; p < grey.size(); ++p) {
    const double luma = 0.299 * colour[3 * p] + 0.587 * colour[3 * p + 1] + 0.114 * colour[3 * p + 2];
    EXPECT_NEAR(one[0].pixels.host<float>()[p] * 255, grey[p], 2);
    EXPECT_NEAR(two[0].pixels.host<float>()[p] * 255, luma, 2);
  }
}

TEST_F(Images, JpegThatIsDamagedIsRefused) {
  write_jpeg(folder_ / "p.jpg", 40, 20, 1, JCS_GRAYSCALE, smooth(40, 20, 1));
  const std::string good = read_file(folder_ / "p.jpg");
  EXPECT_NE(refusal(write_file(folder_ / "q.jpg", good.substr(0, good.size() - 40))), "")
      << "libjpeg itself would fill in grey";
  EXPECT_NE(refusal(write_file(folder_ / "q.jpg", good.substr(0, 10))), "");
  EXPECT_NE(refusal(write_file(folder_ / "q.jpg", "GIF89a")), "");
  std::string large = good;  // the frame header: FF C0, length, bits, height, width
  const std::size_t frame = large.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  for (std::size_t i = 5; i < 9; ++i) large[frame + i] = static_cast<char>(0xfe);
  EXPECT_TRUE(contains(refusal(write_file(folder_ / "q.jpg", large)), "can hold"));
  write_jpeg(folder_ / "cmyk.jpg", 16, 16, 4, JCS_CMYK, smooth(16, 16, 4));
  EXPECT_TRUE(contains(refusal(folder_ / "cmyk.jpg"), "CMYK"));
}

TEST_F(Images, FolderTakesPicturesByName) {
  write_file(folder_ / "set/readme.txt", "not a picture");
  EXPECT_TRUE(contains(refusal(folder_ / "set"), "1 files of other types"));
  save_png({.width = 3, .height = 2, .channels = 1, .pixels = {0, 1, 2, 3, 4, 5}}, folder_ / "set/b.png");
  write_jpeg(folder_ / "set/a.jpg", 16, 8, 1, JCS_GRAYSCALE, smooth(16, 8, 1));
  const ImageStack images = read_images(folder_ / "set");
  ASSERT_EQ(images.size(), 2u);
  EXPECT_TRUE(images[0].name.ends_with("a.jpg") && images[1].name.ends_with("b.png"));
  EXPECT_EQ(images[0].pixels.shape(), (Shape{8, 16}));
  write_file(folder_ / "set/c.png", "rubbish");
  EXPECT_TRUE(contains(error_of([&] { read_images(folder_ / "set"); }), "c.png"));
}

TEST_F(Images, RefusesOtherFiles) {
  EXPECT_TRUE(contains(refusal(write_file(folder_ / "x.gif", "GIF89a")), ".png"));
  EXPECT_TRUE(contains(refusal(folder_ / "nowhere.png"), "found none"));
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_TRUE(contains(refusal(folder_ / "empty"), "found nothing"));
}

}  // namespace
}  // namespace basin
