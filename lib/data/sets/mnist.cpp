#include "data/readers/mnist.h"

#include <array>
#include <numeric>

#include "config/reader.h"
#include "data/sets/sets.h"
#include "tensor/random.h"

namespace basin {
namespace {

RemoteFile remote_file(const std::string& name, std::uint64_t bytes, const std::string& sha256,
                       const std::string& unpacked_sha256) {
  return {.name = name,
          .urls = {"https://ossci-datasets.s3.amazonaws.com/mnist/" + name,
                   "https://storage.googleapis.com/cvdf-datasets/mnist/" + name},
          .sha256 = sha256,
          .bytes = bytes,
          .unpacked_sha256 = unpacked_sha256};
}

void read(const Reader& in, DatasetOptions& options) {
  if (!in.table().has("sequence")) return;
  const std::string kind = in.table().choice("sequence", {"rows", "pixels", "permuted"});
  options.sequence = kind == "rows"     ? PixelSequence::Rows
                     : kind == "pixels" ? PixelSequence::Pixels
                                        : PixelSequence::Permuted;
}

/// Images as sequences of pixels [784, 1], entry t of all of them pixel order[t].
Samples as_sequences(const Samples& samples, std::span<const Index> order) {
  const auto size = static_cast<Index>(order.size());
  std::vector<std::uint8_t> pixels(samples.pixels().size());
  for (Index n = 0; n < samples.count; ++n) {
    const std::uint8_t* image = samples.pixels().data() + n * size;
    for (Index t = 0; t < size; ++t)
      pixels[static_cast<std::size_t>(n * size + t)] = image[order[static_cast<std::size_t>(t)]];
  }
  return {byte_column("image", {size, 1}, std::move(pixels)), samples["label"]};
}

Dataset load(const CatalogEntry& entry, const DatasetOptions& options) {
  std::array<std::string, 4> paths;
  for (std::size_t i = 0; i < paths.size(); ++i) paths[i] = locate(entry, entry.files[i]);
  const ImportLimit limit(options.import_limit);
  Dataset data{entry.name, take(read_mnist(paths[0], paths[1], limit), options.train, entry.name, "train"),
               take(read_mnist(paths[2], paths[3], limit), options.test, entry.name, "test")};
  if (options.sequence == PixelSequence::Rows) return data;
  std::vector<Index> order(static_cast<std::size_t>(data.train.sample_size()));
  std::iota(order.begin(), order.end(), Index{0});
  if (options.sequence == PixelSequence::Permuted)
    order = permutation(Key(options.seed).fold("mnist").fold("permutation"), data.train.sample_size());
  for (Samples* part : {&data.train, &data.test}) {
    limit.take("[mnist] sequences of pixels", part->pixels().size());
    *part = as_sequences(*part, order);
  }
  data.has_sequences = true;
  return data;
}

}  // namespace

CatalogEntry mnist_entry() {
  return {.name = "mnist",
          .description =
              "handwritten digits, 28 x 28 grey, 10 classes; 60,000 to train and 10,000 to test "
              "(LeCun et al. 1998)",
          .folder = "mnist",
          .files = {remote_file("train-images-idx3-ubyte.gz", 9912422,
                                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
                    remote_file("train-labels-idx1-ubyte.gz", 28881,
                                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
                    remote_file("t10k-images-idx3-ubyte.gz", 1648877,
                                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
                    remote_file("t10k-labels-idx1-ubyte.gz", 4542,
                                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")},
          .read = read,
          .load = load};
}

}  // namespace basin
