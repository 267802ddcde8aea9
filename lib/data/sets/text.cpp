#include "data/readers/text.h"

#include <fmt/format.h>

#include "config/reader.h"
#include "data/sets/sets.h"
#include "tensor/error.h"

namespace basin {
namespace {

void read(const Reader& in, DatasetOptions& options) {
  TextOptions& text = options.text;
  text.length = in.count("length", 1, text.length);
  text.validation_share = in.within("validation_share", 0.0, 1.0, text.validation_share);
  text.test_share = in.within("test_share", 0.0, 1.0, text.test_share);
  if (text.validation_share + text.test_share >= 1.0)
    in.table().fail("test_share", "expected shares that leave a part of the text for training");
}

Dataset load_text(const CatalogEntry& entry, const std::string& path, const DatasetOptions& options) {
  Dataset data = read_text(path, options.text, ImportLimit(options.import_limit));
  data.name = entry.name;
  data.train = take(data.train, options.train, entry.name, "train");
  data.test = take(data.test, options.test, entry.name, "test");
  return data;
}

Dataset load_own(const CatalogEntry& entry, const DatasetOptions& options) {
  if (options.path.empty())
    throw Error("[text] expected a text file, received none; say where it is by path = \"...\"");
  return load_text(entry, options.path, options);
}

Dataset load_shakespeare(const CatalogEntry& entry, const DatasetOptions& options) {
  return load_text(entry, locate(entry, entry.files[0]), options);
}

}  // namespace

CatalogEntry text_entry() {
  return {.name = "text",
          .description = "the characters of your own text: path = a file of UTF-8, plain or .gz",
          .needs_path = true,
          .in_order = true,
          .read =
              [](const Reader& in, DatasetOptions& options) {
                read(in, options);
                options.path = in.table().text("path");
              },
          .load = load_own};
}

CatalogEntry shakespeare_entry() {
  return {
      .name = "shakespeare",
      .description = "the characters of 40,000 lines of Shakespeare, 65 different ones (Karpathy's char-rnn)",
      .folder = "text",
      .files = {{.name = "tinyshakespeare.txt",
                 .urls = {},
                 .sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                 .bytes = 1115394}},
      .by_hand = "take data/tinyshakespeare/input.txt of github.com/karpathy/char-rnn under that name",
      .in_order = true,
      .read = read,
      .load = load_shakespeare};
}

}  // namespace basin
