// Data sets of sequences: generated ones, the characters of a text, piano rolls.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "config/config.h"
#include "data/catalog.h"
#include "data/digest.h"
#include "data/generators/adding.h"
#include "data/generators/copy_memory.h"
#include "data/generators/temporal_order.h"
#include "data/readers/piano_rolls.h"
#include "data/readers/text.h"
#include "data/sample_order.h"
#include "load.h"
#include "temporary.h"
#include "tensor/threads.h"
#include "writers.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::load;
using test::TemporaryFolder;
using test::write_file;

std::string digest_of(const Samples& samples) { return digest({"x", samples, {}}); }

TEST(Sequences, ASampleIsAFunctionOfKeyAndNumberAlone) {
  const auto made = [](Index count) {
    return std::vector{adding(Key(3), count, 20), copy_memory(Key(3), count, 5),
                       temporal_order(Key(3), count)};
  };
  const int before = thread_count();
  set_thread_count(2);
  const std::vector<Samples> many = made(300);
  set_thread_count(1);
  const std::vector<Samples> few = made(40);
  set_thread_count(before);
  for (std::size_t i = 0; i < many.size(); ++i) {
    EXPECT_EQ(digest_of(few[i]), digest_of(many[i].head(40)));
    EXPECT_NE(digest_of(few[i]), digest_of(many[i].picked(std::vector<Index>{0, 2, 1}).head(3)));
  }
  EXPECT_NE(digest_of(adding(Key(4), 40, 20)), digest_of(few[0]));
}

TEST(Sequences, AddingMarksOneNumberOfEachHalf) {
  for (const Index length : {Index{2}, Index{3}, Index{51}}) {
    const Samples samples = adding(Key(1), 4000, length);
    double mean = 0.0, squares = 0.0;
    for (Index n = 0; n < samples.count; ++n) {
      const float* entries = samples["sequence"].reals().host<float>() + n * length * 2;
      const float target = samples["target"].reals().host<float>()[n];
      float sum = 0.0f, marks[2] = {};
      for (Index t = 0; t < length; ++t) {
        ASSERT_TRUE(entries[2 * t] >= 0.0f && entries[2 * t] < 1.0f);
        sum += entries[2 * t] * entries[2 * t + 1];
        marks[t < length / 2 ? 0 : 1] += entries[2 * t + 1];
      }
      ASSERT_EQ(sum, target);
      ASSERT_TRUE(marks[0] == 1.0f && marks[1] == 1.0f);
      mean += target / 4000.0;
      squares += (target - 1.0) * (target - 1.0) / 4000.0;
    }
    EXPECT_NEAR(mean, 1.0, 4.0 * std::sqrt(1.0 / 6 / 4000));
    EXPECT_NEAR(squares, 1.0 / 6, 0.012);  // 4 deviations of (u - 1)^2, whose variance is 7/180
  }
  EXPECT_TRUE(contains(error_of([] { adding(Key(1), 5, 1); }), "length >= 2"));
}

TEST(Sequences, CopyRepeatsItsSymbolsAfterTheDelay) {
  const Samples samples = copy_memory(Key(2), 500, 30);
  EXPECT_EQ(samples["input"].shape(), (Shape{50}));
  EXPECT_EQ(samples["input"].classes(), 10);
  EXPECT_EQ(samples["target"].classes(), 9);
  std::array<int, 8> seen{};
  for (Index n = 0; n < samples.count; ++n) {
    const auto in = samples["input"].integers().subspan(static_cast<std::size_t>(n) * 50, 50),
               out = samples["target"].integers().subspan(static_cast<std::size_t>(n) * 50, 50);
    for (std::size_t t = 0; t < 50; ++t) {
      if (t < 10) ++seen.at(static_cast<std::size_t>(in[t]));
      ASSERT_TRUE(t < 10 || in[t] == (t == 39 ? kCopyAsk : kCopyBlank));
      ASSERT_EQ(out[t], t < 40 ? kCopyBlank : in[t - 40]);
    }
  }
  for (const int count : seen) EXPECT_NEAR(count, 625, 4.0 * std::sqrt(5000 * 7.0 / 64));
  EXPECT_TRUE(contains(error_of([] { copy_memory(Key(1), 5, 0); }), "delay >= 1"));
}

TEST(Sequences, TemporalOrderIsThatOfItsThreeSigns) {
  const Samples samples = temporal_order(Key(5), 3000);
  const Index longest = samples["input"].shape()[0];
  EXPECT_EQ(longest, 110);
  std::array<int, 8> labels{};
  std::array<int, 11> lengths{};
  for (Index n = 0; n < samples.count; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const auto in = samples["input"].integers().subspan(at * 110, 110);
    const int length = samples["lengths"].integers()[at];
    int signs = 0, label = 0;
    for (int t = 0; t < 110; ++t) {
      const int symbol = in[static_cast<std::size_t>(t)];
      ASSERT_TRUE(t < length || symbol == 0);
      if (symbol != 4 && symbol != 5) continue;
      const int first = std::array{10, 33, 66}.at(static_cast<std::size_t>(signs++));
      ASSERT_TRUE(t >= first && t <= first + 10);
      label = 2 * label + symbol - 4;
    }
    ASSERT_EQ(signs, 3);
    ASSERT_EQ(label, samples["label"].integers()[at]);
    ASSERT_EQ(in[0], 6);
    ASSERT_EQ(in[static_cast<std::size_t>(length - 1)], 7);
    ++labels.at(static_cast<std::size_t>(label));
    ++lengths.at(static_cast<std::size_t>(length - 100));
  }
  for (const int count : labels) EXPECT_NEAR(count, 375, 4.0 * std::sqrt(3000 * 7.0 / 64));
  for (const int count : lengths) EXPECT_NEAR(count, 273, 4.0 * std::sqrt(3000 * 10.0 / 121));
  EXPECT_EQ(samples.labels()->name(), "label");
}

TEST(Sequences, KeysOfGeneratedOnes) {
  const Dataset add = load("name = \"adding\"\nlength = 7\ntrain = 30\ntest = 20");
  EXPECT_EQ(add.train.shape(), (Shape{7, 2}));
  EXPECT_NE(digest_of(add.train.head(20)), digest_of(add.test));
  EXPECT_EQ(load("name = \"copy_memory\"\ndelay = 3\ntrain = 5\ntest = 1").train.shape(), (Shape{23}));
  EXPECT_EQ(load("name = \"temporal_order\"\ntrain = 5\ntest = 1\nvalidation = 2").validation.count, 2);
  EXPECT_TRUE(contains(error_of([] { load("name = \"adding\"\nlength = 1"); }), "length"));
  EXPECT_TRUE(contains(error_of([] { load("name = \"adding\"\nlength = 1000000\ntrain = 1000000"); }),
                       "import limit"));
}

TEST(Text, SamplesFollowOneAnotherAndPartsTheText) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 400; ++i) text += static_cast<char>('a' + (i * i + i / 7) % 5);
  const std::string path = write_file(folder / "a.txt", text);
  const Dataset data = read_text(path, {.length = 6, .validation_share = 0.1, .test_share = 0.15});
  EXPECT_EQ(data.class_names.at("input"), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  std::size_t begin = 0, part = 0;
  for (const Samples* samples : {&data.train, &data.validation, &data.test}) {
    const std::size_t size = std::array<std::size_t, 3>{300, 40, 60}.at(part++);
    ASSERT_EQ(samples->count, static_cast<Index>((size - 1) / 6));
    for (std::size_t i = 0; i < static_cast<std::size_t>(samples->count) * 6; ++i) {
      ASSERT_EQ((*samples)["input"].integers()[i], text[begin + i] - 'a');
      ASSERT_EQ((*samples)["next"].integers()[i], text[begin + i + 1] - 'a');
    }
    begin += size;
  }
  // Streams: row s of batch t is sample s K + t, so each row reads on.
  const std::vector<Index> order = sample_order(SampleOrder::Streams, Key(1), data.train.count, {.batch = 4});
  const Index steps = data.train.count / 4;
  for (Index t = 0; t < steps; ++t) {
    for (Index s = 0; s < 4; ++s) EXPECT_EQ(order[static_cast<std::size_t>(t * 4 + s)], s * steps + t);
  }
  const std::string packed = write_file(folder / "a.gz", test::gzip(text));
  EXPECT_EQ(digest(read_text(packed, {.length = 6})), digest(read_text(path, {.length = 6})));
}

TEST(Text, CharactersMayHaveSeveralBytes) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "z\u00e9\u20ac\U0001f600";
  const Dataset data = read_text(write_file(folder / "a", text), {.length = 4});
  EXPECT_EQ(data.class_names.at("next"), (std::vector<std::string>{"z", "\u00e9", "\u20ac", "\U0001f600"}));
  EXPECT_EQ(data.train["input"].integers()[6], 2);
  for (const char* bad :
       {"\xc3", "\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80"}) {
    const std::string error = error_of([&] { read_text(write_file(folder / "b", text + bad + "zz"), {}); });
    EXPECT_TRUE(contains(error, "UTF-8") && contains(error, "at byte 400")) << error;
  }
}

TEST(Text, WhatIsNoneIsSaid) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text, const TextOptions& options) {
    return error_of([&] { read_text(write_file(folder / "a.txt", text), options); });
  };
  const TextOptions small{.length = 2, .validation_share = 0.25, .test_share = 0.25};
  EXPECT_EQ(error("abababababab", small), "");
  const std::string lacks = error("ababab\naba\nbxab", small);
  EXPECT_TRUE(contains(lacks, "'x' (U+0078) of the test part, line 3, character 2")) << lacks;
  EXPECT_TRUE(
      contains(error("ababab\na\nbab", small), "(U+000A) of the validation part, line 1, character 7"))
      << "a new line";
  EXPECT_TRUE(contains(error("", small), "training part, received 0"));
  EXPECT_TRUE(contains(error("abababab", small), "test part, received 2"));
  EXPECT_TRUE(contains(error("abababab", {.length = 0}), "length >= 1"));
  EXPECT_TRUE(contains(error("abab", {.validation_share = 0.5, .test_share = 0.5}), "shares"));
  EXPECT_EQ(read_text(folder / "a.txt", {.length = 1, .validation_share = 0.0, .test_share = 0.0}).test.count,
            0);
  EXPECT_NE(error_of([&] { read_text(folder / "none", {}); }), "");
  const std::string large = write_file(folder / "large", std::string(3 << 20, 'a'));
  EXPECT_TRUE(contains(error_of([&] { read_text(large, {}, ImportLimit(2 << 20)); }), "import limit"));
}

TEST(Text, KeysAndTheRealOne) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>('a' + i % 7);
  const std::string own =
      "name = \"text\"\npath = \"" + write_file(folder / "a.txt", text) + "\"\nlength = 9\n";
  const Dataset data = load(own + "train = 20");
  EXPECT_EQ(data.train.count, 20);
  EXPECT_EQ(data.test.count, 5);
  EXPECT_EQ(data.validation.count, 5);
  EXPECT_TRUE(contains(error_of([&] { load(own + "validation = 0.1"); }), "data.validation"));
  EXPECT_TRUE(contains(error_of([&] { load(own + "test_share = 0.96"); }), "test_share"));
  EXPECT_TRUE(contains(error_of([&] { load("name = \"text\"\npath = \"\""); }), "path"));
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no Shakespeare";
  const Dataset shakespeare = load("name = \"shakespeare\"");
  EXPECT_EQ(shakespeare.class_names.at("input").size(), 65u);
  EXPECT_EQ(shakespeare.train.count, 10038);  // of 1,003,854 characters
  EXPECT_EQ(shakespeare.validation.count, 557);
  EXPECT_EQ(shakespeare.test.count, 557);
}

TEST(PianoRolls, BecomeKeysOverTime) {
  const TemporaryFolder folder;
  const std::string json =
      "{ \"valid\": [], \"train\": [[[21, 108], [] ,[60]],[[64]]],\n \"test\" : [[[22],[23],[24],[25]]] }\n";
  const std::string path = write_file(folder / "a.json", json);
  const Dataset data = read_piano_rolls(path);
  EXPECT_EQ(data.train.shape(), (Shape{4, 88}));
  EXPECT_EQ(data.validation.count, 0);
  const auto lengths = data.train["lengths"].integers();
  EXPECT_EQ(std::vector<std::int32_t>(lengths.begin(), lengths.end()), (std::vector<std::int32_t>{3, 1}));
  std::vector<std::size_t> sounding;
  for (std::size_t i = 0; i < data.train.pixels().size(); ++i) {
    if (data.train.pixels()[i] == 255) sounding.push_back(i);
    ASSERT_TRUE(data.train.pixels()[i] % 255 == 0);
  }
  EXPECT_EQ(sounding, (std::vector<std::size_t>{0, 87, 2 * 88 + 39, 4 * 88 + 43}));
  EXPECT_EQ(digest(read_piano_rolls(write_file(folder / "a.gz", test::gzip(json)))), digest(data));
}

TEST(PianoRolls, WhatIsNoneIsSaid) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& json) {
    return error_of([&] { read_piano_rolls(write_file(folder / "a.json", json)); });
  };
  const std::string rest = ",\"valid\":[],\"test\":[]}";
  EXPECT_EQ(error("{\"train\":[[[60]]]" + rest), "");
  const std::pair<std::string, const char*> bad[] = {
      {"", ":1:1: expected '{', received the end of the file"},
      {"[[60]]", ":1:1: expected '{'"},
      {"{\"train\":[[[60]]]", "expected '}', received the end"},
      {"{\"train\":[[[60]]]}", "expected a part \"valid\", received none"},
      {"{\"train\":[[[60]]],\"train\":[]" + rest, "a second \"train\""},
      {"{\"train\":[[[60]]],\"tset\":[]" + rest, "received \"tset\""},
      {"{\"train\":[[[60]]]" + rest + "x", "expected the end of the file, received 'x'"},
      {"{\"train\":[[[20]]]" + rest, "expected a note, 21 to 108, received '20]]]"},
      {"{\"train\":\n[[[109]]]" + rest, ":2:4: expected a note"},
      {"{\"train\":[[[-60]]]" + rest, "a note"},
      {"{\"train\":[[[60.5]]]" + rest, "expected ']', received '.5]]]"},
      {"{\"train\":[[[6e1]]]" + rest, "a note"},
      {"{\"train\":[[[99999999999999999999]]]" + rest, "a note"},
      {"{\"train\":[[[\"60\"]]]" + rest, "a note"},
      {"{\"train\":[[[60,]]]" + rest, "a note"},
      {"{\"train\":[[[60]],[]]" + rest, "expected sequences of at least one frame"},
      {"{\"train\":[[60]]" + rest, "expected '['"},
      {"{\"train\":" + std::string(1'000'000, '['), "expected a note, 21 to 108, received '[[["},
      {"{\"train" + std::string(100, ' '), "expected the end of a name"},
      {"{\"train\":null" + rest, "expected '['"}};
  for (const auto& [json, part] : bad) {
    const std::string text = error(json);
    EXPECT_TRUE(contains(text, part) && contains(text, "[piano_rolls]") &&
                text.find('\n') == std::string::npos)
        << json.substr(0, 80) << " gave " << text;
  }
  std::string wide = "{\"train\":[[[60]";
  for (int i = 0; i < 20000; ++i) wide += ",[]";
  wide += "]";
  for (int i = 0; i < 20000; ++i) wide += ",[[]]";
  write_file(folder / "wide.json", wide + "]" + rest);
  const std::string text = error_of([&] { read_piano_rolls(folder / "wide.json", ImportLimit(256 << 20)); });
  EXPECT_TRUE(contains(text, "20001 sequences of up to 20001 frames") && contains(text, "import limit"))
      << text;
}

TEST(PianoRolls, TheRealOnes) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no piano rolls";
  struct Facts {
    const char* name;
    Index sequences[3];
    std::int64_t frames[3];
  };
  for (const Facts& facts : {Facts{"jsb", {229, 76, 77}, {13807, 4602, 4725}},
                             Facts{"nottingham", {694, 173, 170}, {176561, 45513, 44463}},
                             Facts{"piano_midi", {87, 12, 25}, {75911, 8540, 19036}}}) {
    const Dataset data = load(std::string("name = \"") + facts.name + "\"");
    std::size_t part = 0;
    for (const Samples* samples : {&data.train, &data.validation, &data.test}) {
      std::int64_t frames = 0;
      for (const std::int32_t length : (*samples)["lengths"].integers()) frames += length;
      EXPECT_EQ(samples->count, facts.sequences[part]);
      EXPECT_EQ(frames, facts.frames[part++]);
    }
  }
}

}  // namespace
}  // namespace basin
