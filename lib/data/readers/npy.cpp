#include "data/readers/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "data/readers/byte_source.h"
#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Header {
  std::string type;  // "<f4"
  Shape shape;
};

/// What stands behind "'key':" in the header's dictionary, up to the comma or bracket that ends it.
std::string_view value_of(const ByteSource& source, std::string_view text, std::string_view key) {
  const std::size_t at = text.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos)
    source.fail(fmt::format("its header has no '{}'; is it another file?", key));
  std::string_view rest = text.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::size_t end = rest.starts_with('(') ? rest.find(')') : rest.find_first_of(",}");
  if (end == std::string_view::npos) source.fail("its header is cut short");
  return rest.substr(0, end);
}

Shape parse_shape(const ByteSource& source, std::string_view text) {
  Shape shape;
  for (std::size_t i = 1; i < text.size();) {  // behind "("
    Index extent = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), extent);
    if (error != std::errc() || extent < 0)
      source.fail(fmt::format("expected a shape, received '{})'", text));
    shape.push_back(extent);
    i = static_cast<std::size_t>(end - text.data());
    while (i < text.size() && (text[i] == ',' || text[i] == ' ')) ++i;
  }
  return shape;
}

Header read_header(ByteSource& source) {
  constexpr std::uint32_t kLongest = 1 << 16;
  std::array<std::uint8_t, 8> start{};
  source.read(start, "the NumPy header");
  if (std::memcmp(start.data(), "\x93NUMPY", 6) != 0 || (start[6] != 1 && start[6] != 2))
    source.fail(
        "expected a NumPy file (.npy) of format 1 or 2, received another file; write it by numpy.save");
  std::array<std::uint8_t, 4> size{};
  source.read(std::span(size).first(start[6] == 1 ? 2 : 4), "the NumPy header");
  const std::uint32_t length =
      size[0] | std::uint32_t{size[1]} << 8 | std::uint32_t{size[2]} << 16 | std::uint32_t{size[3]} << 24;
  if (length > kLongest) source.fail(fmt::format("the header states {} bytes of itself", length));
  std::vector<std::uint8_t> bytes(length);
  source.read(bytes, "the NumPy header");
  const std::string text(bytes.begin(), bytes.end());
  Header header;
  std::string_view type = value_of(source, text, "descr");
  if (type.size() >= 2 && type.front() == '\'') type = type.substr(1, type.size() - 2);
  header.type = type;
  if (value_of(source, text, "fortran_order") != "False")
    source.fail("expected numbers in C order; write numpy.ascontiguousarray of it");
  header.shape = parse_shape(source, value_of(source, text, "shape"));
  return header;
}

/// The numbers that fill the rest of the file. `passing`: bytes a number that are taken beside the column's
/// own while it is made.
template <class T>
std::vector<T> read_numbers(ByteSource& source, const Shape& shape, const ImportLimit& limit,
                            std::uint64_t passing) {
  std::uint64_t count = 0;
  try {
    Shape bytes = shape;
    bytes.push_back(sizeof(T));
    count = static_cast<std::uint64_t>(element_count(bytes)) / sizeof(T);
  } catch (const Error&) {
    source.fail(fmt::format("the header states the absurd shape {}", to_string(shape)));
  }
  source.expect_remaining(count * sizeof(T), fmt::format("the header states the shape {}", to_string(shape)));
  limit.take("[npy] " + source.path(), count * sizeof(T), checked_product<std::uint64_t>({count, passing}));
  std::vector<T> numbers = source.read_numbers<T>(count, "the data");
  source.finish();
  return numbers;
}

template <class T>
Column reals(ByteSource& source, const ColumnWish& wish, const Shape& shape, Dtype dtype,
             const ImportLimit& limit) {
  if (wish.classes != 0)
    source.fail(fmt::format("expected whole numbers of '{}', whose values are categories, received reals",
                            wish.name));
  const std::vector<T> numbers = read_numbers<T>(source, shape, limit, sizeof(T));
  return real_column(wish.name, Tensor::from(std::span<const T>(numbers), shape, {dtype, Device::Cpu}));
}

Column read_array(ByteSource& source, const ColumnWish& wish, const ImportLimit& limit) {
  constexpr std::uint64_t kWide = sizeof(std::int64_t), kNarrow = sizeof(std::int32_t);
  const auto [type, shape] = read_header(source);
  const Shape sample(shape.begin() + (shape.empty() ? 0 : 1), shape.end());
  if (shape.empty() || std::ranges::find(sample, 0) != sample.end())
    source.fail(
        fmt::format("expected an array [N, ...], one sample a row, received the shape {}", to_string(shape)));
  const std::string& what = source.path();
  if (type == "<f4") return reals<float>(source, wish, shape, Dtype::F32, limit);
  if (type == "<f8") return reals<double>(source, wish, shape, Dtype::F64, limit);
  if (type == "|u1") {
    const std::uint64_t passing = wish.classes == 0 ? 0 : kWide + kNarrow;
    return column_of_bytes(what, wish, sample, read_numbers<std::uint8_t>(source, shape, limit, passing));
  }
  if (type == "<i8")
    return column_of_integers(what, wish, sample, read_numbers<std::int64_t>(source, shape, limit, kNarrow));
  if (type == "<i4") {
    const std::vector<std::int32_t> numbers =
        read_numbers<std::int32_t>(source, shape, limit, kWide + kNarrow);
    return column_of_integers(what, wish, sample, {numbers.begin(), numbers.end()});
  }
  source.fail(
      fmt::format("expected u1, i4, i8, f4 or f8 in little-endian order, received '{}'; convert it by "
                  "numpy.astype",
                  type));
}

}  // namespace

Column column_of_bytes(const std::string& what, const ColumnWish& wish, Shape sample,
                       std::vector<std::uint8_t> values) {
  if (wish.classes == 0) return byte_column(wish.name, std::move(sample), std::move(values));
  return column_of_integers(what, wish, std::move(sample), {values.begin(), values.end()});
}

Column column_of_integers(const std::string& what, const ColumnWish& wish, Shape sample,
                          const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> narrow(values.size());
  std::int64_t largest = -1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t end = wish.classes > 0 ? wish.classes : std::numeric_limits<std::int32_t>::max();
    const bool fits = wish.classes == 0 ? values[i] == static_cast<std::int32_t>(values[i])
                                        : values[i] >= 0 && values[i] < end;
    if (!fits) {
      throw Error(fmt::format("[data] {}: expected {} of '{}', received {} in sample {}", what,
                              wish.classes == 0  ? "32-bit integers"
                              : wish.classes > 0 ? fmt::format("categories 0 to {}", wish.classes - 1)
                                                 : "categories 0, 1, ...",
                              wish.name, values[i], static_cast<Index>(i) / element_count(sample)));
    }
    narrow[i] = static_cast<std::int32_t>(values[i]);
    largest = std::max(largest, values[i]);
  }
  const Index classes = wish.classes < 0 ? std::max<Index>(2, largest + 1) : wish.classes;
  return integer_column(wish.name, std::move(sample), std::move(narrow), classes);
}

Column read_npy(const std::string& path, const ColumnWish& wish, const ImportLimit& limit) {
  return read_array(*open_bytes("npy", path), wish, limit);
}

Column read_npz(const std::string& path, const std::string& array, const ColumnWish& wish,
                const ImportLimit& limit) {
  return read_array(*open_zip_member("npz", path, array), wish, limit);
}

}  // namespace basin
