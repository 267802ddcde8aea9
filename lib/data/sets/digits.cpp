// The variations of MNIST of Larochelle et al. 2007: 12,000 digits to train and validate and 50,000 to test,
// drawn from all 70,000.
#include <fmt/format.h>

#include <span>

#include "data/generators/digit_variations.h"
#include "data/sets/backgrounds.h"
#include "data/sets/sets.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using Vary = Samples (*)(const Samples& digits, Key key, const ImportLimit& limit);

/// All digits, those of MNIST for training before those for tests.
Samples all_digits(const DatasetOptions& options, const ImportLimit& limit) {
  const Dataset mnist = load_dataset("mnist", {.import_limit = options.import_limit});
  limit.take("[digits] all of MNIST", mnist.train.pixels().size() + mnist.test.pixels().size());
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  for (const Samples* part : {&mnist.train, &mnist.test}) {
    pixels.insert(pixels.end(), part->pixels().begin(), part->pixels().end());
    const auto own = (*part)["label"].integers();
    labels.insert(labels.end(), own.begin(), own.end());
  }
  return {byte_column("image", mnist.train.shape(), std::move(pixels)),
          integer_column("label", {}, std::move(labels), mnist.train["label"].classes())};
}

/// Training digits are the first of a permutation of all, test digits the last: neither part depends on how
/// many the other has.
Dataset load(const CatalogEntry& entry, const DatasetOptions& options, Vary vary) {
  const Index train = options.train == 0 ? 12'000 : options.train,
              test = options.test == 0 ? 50'000 : options.test;
  const ImportLimit limit(options.import_limit);
  const Samples digits = all_digits(options, limit);
  if (train > digits.count || test > digits.count - train) {
    throw Error(fmt::format("[{}] expected at most {} digits in both parts, received {} and {}", entry.name,
                            digits.count, train, test));
  }
  const Key key = Key(options.seed).fold("digits");
  const std::vector<Index> order = permutation(key.fold("parts"), digits.count);
  const std::span<const Index> all = order;
  const Key own = key.fold(entry.name);
  return {entry.name,
          vary(digits.picked(all.first(static_cast<std::size_t>(train))), own.fold("train"), limit),
          vary(digits.picked(all.last(static_cast<std::size_t>(test))), own.fold("test"), limit)};
}

CatalogEntry digits(const std::string& name, const std::string& what,
                    Dataset (*load_own)(const CatalogEntry& entry, const DatasetOptions& options)) {
  CatalogEntry entry = mnist_entry();
  entry.name = name;
  entry.description = fmt::format(
      "digits of 'mnist' {}, 28 x 28; 12,000 to train and 50,000 to test (Larochelle et al. 2007)", what);
  entry.costly = true;
  entry.read = nullptr;
  entry.load = load_own;
  return entry;
}

Samples as_they_are(const Samples& samples, Key /*key*/, const ImportLimit& /*limit*/) { return samples; }

Samples turned(const Samples& samples, Key key, const ImportLimit& /*limit*/) {
  return rotated(samples, key.fold("angle"));
}

Samples noisy(const Samples& samples, Key key, const ImportLimit& /*limit*/) {
  return on_noise(samples, key.fold("noise"));
}

Samples pictured(const Samples& samples, Key key, const ImportLimit& limit) {
  return on_images(samples, background_patches(key.fold("patches"), samples.count, limit));
}

Samples turned_and_pictured(const Samples& samples, Key key, const ImportLimit& limit) {
  return pictured(turned(samples, key, limit), key, limit);
}

template <Vary vary>
Dataset load_varied(const CatalogEntry& entry, const DatasetOptions& options) {
  return load(entry, options, vary);
}

}  // namespace

CatalogEntry basic_digits_entry() { return digits("basic_digits", "as they are", load_varied<as_they_are>); }
CatalogEntry rotated_digits_entry() {
  return digits("rotated_digits", "turned by any angle", load_varied<turned>);
}
CatalogEntry noise_digits_entry() { return digits("noise_digits", "on noise", load_varied<noisy>); }
CatalogEntry image_digits_entry() {
  return digits("image_digits", "on patches of 'kodak'", load_varied<pictured>);
}
CatalogEntry rotated_image_digits_entry() {
  return digits("rotated_image_digits", "turned by any angle, on patches of 'kodak'",
                load_varied<turned_and_pictured>);
}

}  // namespace basin
