#include "data/readers/cifar.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/readers/byte_source.h"

namespace basin {

Samples read_cifar(std::span<const std::string> paths, std::span<const CifarLabel> labels,
                   const ImportLimit& limit) {
  const Shape shape{3, 32, 32};
  const std::size_t pixels = static_cast<std::size_t>(element_count(shape)), record = labels.size() + pixels;
  std::vector<std::uint8_t> images;
  std::vector<std::vector<std::int32_t>> classes(labels.size());
  for (const std::string& path : paths) {
    const std::unique_ptr<ByteSource> source = open_bytes("cifar", path);
    const std::string bytes = source->read_rest(limit);
    if (bytes.empty() || bytes.size() % record != 0) {
      source->fail(
          fmt::format("expected records of {} bytes, received {} bytes; it is cut short or another file",
                      record, bytes.size()));
    }
    limit.take("[cifar] " + path, 0, images.size() + bytes.size());
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::int32_t own = begin[at + i];
        if (own >= labels[i].classes) {
          source->fail(
              fmt::format("expected a class 0 to {} as '{}' of record {}, received {}; it is damaged or "
                          "another file",
                          labels[i].classes - 1, labels[i].column, at / record, own));
        }
        classes[i].push_back(own);
      }
      images.insert(images.end(), begin + at + labels.size(), begin + at + record);
    }
  }
  Samples samples{byte_column("image", shape, std::move(images))};
  const auto add = [&](std::size_t i) {
    samples.add(integer_column(labels[i].column, {}, std::move(classes[i]), labels[i].classes));
  };
  const auto main =
      static_cast<std::size_t>(std::ranges::find(labels, "label", &CifarLabel::column) - labels.begin());
  if (main < labels.size()) add(main);
  for (std::size_t i = 0; i < labels.size(); ++i) i == main ? void() : add(i);
  return samples;
}

}  // namespace basin
