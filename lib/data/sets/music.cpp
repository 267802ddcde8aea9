#include "data/readers/piano_rolls.h"
#include "data/sets/sets.h"

namespace basin {
namespace {

Dataset load(const CatalogEntry& entry, const DatasetOptions& options) {
  Dataset data = read_piano_rolls(locate(entry, entry.files[0]), ImportLimit(options.import_limit));
  data.name = entry.name;
  data.has_sequences = true;
  data.train = take(data.train, options.train, entry.name, "train");
  data.test = take(data.test, options.test, entry.name, "test");
  return data;
}

CatalogEntry piano_rolls(const std::string& name, const std::string& description, RemoteFile file) {
  return {.name = name,
          .description = description + " (Boulanger-Lewandowski et al. 2012)",
          .folder = "music",
          .files = {std::move(file)},
          .by_hand =
              "basin cannot download this form; turn the original piano rolls into JSON: {\"train\": "
              "[[[60, 64], ...], ...], \"valid\": ..., \"test\": ...}, a list of MIDI notes a frame",
          .in_order = true,
          .load = load};
}

}  // namespace

CatalogEntry jsb_entry() {
  return piano_rolls("jsb", "piano rolls of 382 chorales of J. S. Bach, a frame a quarter note",
                     {.name = "jsb_chorales_quarter.json.gz",
                      .urls = {},
                      .sha256 = "6ed8354252ed7f41f820bed4dac1c4dca1987f3374bf87ac1f2c8fe2ec1ab42c",
                      .unpacked_sha256 = "d40ed9b0a64a04c70e79d3695bd85823ac41c9ea6284a479d9aff849155ed73e"});
}

CatalogEntry nottingham_entry() {
  return piano_rolls("nottingham", "piano rolls of 1037 folk tunes with chords",
                     {.name = "nottingham.json.gz",
                      .urls = {},
                      .sha256 = "e2069fa00cc804e2183e1c19572fe243dfd9634970c35298eb48eadc54ead8c0",
                      .unpacked_sha256 = "cf213f20d0ff9480d8c80f77730b5176647bd63f47cd2a0f46bb4c1b2ac26e4f"});
}

CatalogEntry piano_midi_entry() {
  return piano_rolls("piano_midi", "piano rolls of 124 pieces of classical piano music",
                     {.name = "piano_midi_de.json.gz",
                      .urls = {},
                      .sha256 = "b6f25b54f8ce9cbcc65961f4e864bfe6dffad6b056430a4465c560a68e3d2394",
                      .unpacked_sha256 = "f7e098a63c97e7644dca7a6255dbd0fd48437c710d031b585b6d92f7c4e305f6"});
}

}  // namespace basin
