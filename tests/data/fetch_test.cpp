#include "data/fetch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "http_server.h"
#include "results/files/sha256.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;
using test::HttpServer;
using test::Page;
using test::read_file;
using test::TemporaryFolder;
using test::TemporaryVariable;
using test::write_file;
using Paths = std::vector<std::string>;

std::string content() {
  std::string bytes;
  for (std::int64_t i = 0; i < 100'000; ++i) bytes.push_back(static_cast<char>(i * i / 7));
  return bytes;
}

class Fetch : public testing::Test {
 protected:
  RemoteFile file(const Paths& urls) const {
    return {.name = "file.gz", .urls = urls, .sha256 = digest_, .bytes = body_.size(), .unpacked_sha256 = ""};
  }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  TemporaryVariable no_proxy_{"no_proxy", "127.0.0.1"};
  TemporaryFolder folder_;
  const std::string body_ = content(), target_ = folder_ / "file.gz", part_ = folder_ / "file.gz.part";
  const std::string digest_ = sha256_file(write_file(folder_ / "original", body_));
};

TEST_F(Fetch, GoodFileArrivesWithProgressAndIsNotFetchedTwice) {
  HttpServer server({{"/good", {.body = body_}}});
  std::uint64_t last = 0;
  FetchOptions options;
  options.progress = [&](const RemoteFile& of, std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(of.name, "file.gz");
    EXPECT_GT(done, last);
    EXPECT_EQ(total, body_.size());
    last = done;
  };
  const std::string deep = folder_ / "new/folder";
  EXPECT_EQ(fetch_file(file({server.url("/good")}), deep, options), deep + "/file.gz");
  EXPECT_EQ(last, body_.size());
  EXPECT_EQ(read_file(deep + "/file.gz"), body_);
  EXPECT_FALSE(std::filesystem::exists(deep + "/file.gz.part"));
  fetch_file(file({server.url("/good")}), deep);
  EXPECT_EQ(server.requests(), Paths{"/good"});
}

TEST_F(Fetch, RedirectionIsFollowedButOnlyToHttp) {
  HttpServer server({{"/good", {.body = body_}},
                     {"/moved", {.body = "", .redirect = "/good"}},
                     {"/local", {.body = "", .redirect = "file:///etc/passwd"}}});
  EXPECT_NE(error_of([&] { fetch_file(file({server.url("/local")}), folder_.path()); }), "");
  EXPECT_FALSE(has("file.gz.part"));
  fetch_file(file({server.url("/moved")}), folder_.path());
  EXPECT_EQ(read_file(target_), body_);
}

TEST_F(Fetch, WrongHashIsThrownAwayAndTheNextAddressTried) {
  std::string wrong = body_;
  wrong[500] = static_cast<char>(wrong[500] ^ 1);
  HttpServer server(
      {{"/wrong", {.body = wrong}}, {"/long", {.body = body_ + "x"}}, {"/good", {.body = body_}}});
  const std::string text = error_of([&] {
    fetch_file(file({server.url("/wrong"), server.url("/long")}), folder_.path());
  });
  EXPECT_TRUE(contains(text, "SHA-256")) << text;
  EXPECT_TRUE(contains(text, "more than the expected 100000 bytes")) << text;
  EXPECT_TRUE(contains(text, "put file.gz into " + folder_.path())) << text;
  EXPECT_FALSE(has("file.gz"));
  EXPECT_FALSE(has("file.gz.part"));
  fetch_file(file({server.url("/wrong"), server.url("/good")}), folder_.path());
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests(), (Paths{"/wrong", "/long", "/wrong", "/good"}));
}

TEST_F(Fetch, CutConnectionIsContinuedByTheNextCall) {
  HttpServer server({{"/cut", {.body = body_, .cut_after = 30'000, .faults = 2}}});
  FetchOptions once;
  once.attempts = 1;
  EXPECT_TRUE(contains(error_of([&] { fetch_file(file({server.url("/cut")}), folder_.path(), once); }),
                       server.url("/cut")));
  EXPECT_FALSE(has("file.gz"));
  EXPECT_EQ(read_file(part_), body_.substr(0, 30'000));
  EXPECT_NE(error_of([&] { fetch_file(file({server.url("/cut")}), folder_.path(), once); }), "");
  EXPECT_EQ(read_file(part_), body_.substr(0, 60'000));
  fetch_file(file({server.url("/cut")}), folder_.path(), once);
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests(), (Paths{"/cut", "/cut 30000-", "/cut 60000-"}));
  EXPECT_FALSE(has("file.gz.part"));
}

TEST_F(Fetch, CutConnectionIsContinuedWithinACall) {
  HttpServer server({{"/cut", {.body = body_, .cut_after = 30'000, .faults = 2}}});
  fetch_file(file({server.url("/cut")}), folder_.path());
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests(), (Paths{"/cut", "/cut 30000-", "/cut 60000-"}));
}

TEST_F(Fetch, ContinuesAtAnotherAddress) {
  HttpServer server({{"/cut", {.body = body_, .cut_after = 30'000}}, {"/good", {.body = body_}}});
  FetchOptions once;
  once.attempts = 1;
  fetch_file(file({server.url("/cut"), server.url("/good")}), folder_.path(), once);
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests(), (Paths{"/cut", "/good 30000-"}));
}

TEST_F(Fetch, ServerThatIgnoresRangesStartsOver) {
  HttpServer server({{"/all", {.body = body_, .knows_ranges = false}}});
  write_file(part_, body_.substr(0, 40'000));
  fetch_file(file({server.url("/all")}), folder_.path());
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests(), Paths{"/all 40000-"});
}

TEST_F(Fetch, BeginningOfSomethingElseIsReplaced) {
  HttpServer server({{"/good", {.body = body_}}, {"/small", {.body = "small"}}});
  for (const std::size_t length : {10'000u, 100'000u, 200'000u}) {
    write_file(part_, std::string(length, 'x'));
    fetch_file(file({server.url("/good")}), folder_.path());
    EXPECT_EQ(read_file(target_), body_);
    std::filesystem::remove(target_);
  }
  write_file(part_, body_.substr(0, 40'000));
  EXPECT_NE(error_of([&] { fetch_file(file({server.url("/small")}), folder_.path()); }),
            "");  // 416, then a small file
  EXPECT_FALSE(has("file.gz"));
}

TEST_F(Fetch, NotFoundAndNothingListening) {
  HttpServer server({});
  write_file(target_, "an older file");
  const std::string missing = error_of([&] { fetch_file(file({server.url("/gone")}), folder_.path()); });
  EXPECT_TRUE(contains(missing, "404")) << missing;
  server.stop();
  const std::string refused = error_of([&] { fetch_file(file({server.url("/gone")}), folder_.path()); });
  EXPECT_TRUE(contains(refused, "onnect")) << refused;
  EXPECT_TRUE(contains(refused, "without a network")) << refused;
  EXPECT_TRUE(contains(refused, "BASIN_DATA")) << refused;
  EXPECT_FALSE(contains(refused, "\n"));
  EXPECT_FALSE(has("file.gz.part"));
  EXPECT_EQ(read_file(target_), "an older file");
}

TEST_F(Fetch, StalledTransferIsGivenUp) {
  HttpServer server({{"/stall", {.body = body_, .stall_after = 20'000, .faults = 1}}});
  FetchOptions options;
  options.attempts = 1;
  options.stalled_seconds = 1;
  EXPECT_TRUE(contains(error_of([&] { fetch_file(file({server.url("/stall")}), folder_.path(), options); }),
                       "no byte came for 1 s"));
  EXPECT_EQ(read_file(part_).size(), 20'000u);
}

TEST_F(Fetch, CancellingKeepsWhatCame) {
  HttpServer server({{"/stall", {.body = body_, .stall_after = 20'000, .faults = 1}}});
  bool stop = false;
  FetchOptions options;
  options.progress = [&](const RemoteFile&, std::uint64_t done, std::uint64_t) { stop = done == 20'000; };
  options.cancelled = [&] { return stop; };
  EXPECT_TRUE(contains(error_of([&] { fetch_file(file({server.url("/stall")}), folder_.path(), options); }),
                       "20000 of 100000 bytes"));
  fetch_file(file({server.url("/stall")}), folder_.path());
  EXPECT_EQ(read_file(target_), body_);
  EXPECT_EQ(server.requests().back(), "/stall 20000-");
}

TEST_F(Fetch, ErrorsOfTheProgressCallbackPassThrough) {
  HttpServer server({{"/good", {.body = body_}}});
  FetchOptions options;
  options.progress = [](const RemoteFile&, std::uint64_t, std::uint64_t) {
    throw Error("the terminal is gone");
  };
  EXPECT_EQ(error_of([&] { fetch_file(file({server.url("/good")}), folder_.path(), options); }),
            "the terminal is gone");
}

TEST_F(Fetch, FolderThatCannotBeWritten) {
  EXPECT_TRUE(contains(error_of([&] { fetch_file(file({"http://127.0.0.1:9/"}), folder_ / "original"); }),
                       "original"));
  EXPECT_NE(error_of([&] { fetch_file(file({"http://127.0.0.1:9/"}), "/proc/basin"); }), "");
}

TEST_F(Fetch, PlantedLinksAreNotFollowed) {
  const HttpServer server({{"/good", {.body = body_}}});
  const std::string victim = write_file(folder_ / "victim", "precious");
  std::filesystem::create_symlink(victim, part_);
  EXPECT_NE(error_of([&] { fetch_file(file({server.url("/good")}), folder_.path()); }), "");
  std::filesystem::remove(part_);
  std::filesystem::create_hard_link(victim, part_);
  EXPECT_NE(error_of([&] { fetch_file(file({server.url("/good")}), folder_.path()); }), "");
  EXPECT_EQ(read_file(victim), "precious");
  EXPECT_FALSE(has("file.gz"));
}

TEST_F(Fetch, TwoDownloadsOfOneFileDoNotMix) {
  HttpServer server({{"/good", {.body = body_}}});
  write_file(part_, "half");
  const int other = ::open(part_.c_str(), O_RDWR);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  EXPECT_TRUE(contains(error_of([&] { fetch_file(file({server.url("/good")}), folder_.path()); }),
                       "another program"));
  ::close(other);
  EXPECT_TRUE(server.requests().empty());
  EXPECT_EQ(read_file(part_), "half");
}

TEST_F(Fetch, EntryTakesWhatIsThereAndFetchesTheRest) {
  const TemporaryVariable data("BASIN_DATA", folder_.path());
  HttpServer server({{"/good", {.body = body_}}});
  CatalogEntry entry{.name = "toy",
                     .description = "",
                     .folder = "toy",
                     .files = {file({server.url("/good")}), file({server.url("/good")})}};
  entry.files[1].name = "other.gz";
  write_file(folder_ / "other.gz", body_);
  EXPECT_EQ(fetch_entry(entry), (Paths{folder_ / "toy/file.gz", folder_ / "other.gz"}));
  EXPECT_EQ(server.requests(), Paths{"/good"});
  EXPECT_TRUE(contains(error_of([] { fetch_entry(find_entry("strokes")); }), "nothing to download"));
}

}  // namespace
}  // namespace basin
