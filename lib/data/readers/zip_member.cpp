#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zip.h>

#include <filesystem>
#include <memory>

#include "data/readers/byte_source.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Close {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Close>;
using Member = std::unique_ptr<zip_file_t, Close>;

class ZipMember final : public ByteSource {
 public:
  ZipMember(std::string reader, std::string what, Archive archive, zip_uint64_t index)
      : ByteSource(std::move(reader), std::move(what)), archive_(std::move(archive)) {
    constexpr zip_uint64_t kWanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    zip_stat_t stat{};
    if (zip_stat_index(archive_.get(), index, 0, &stat) != 0 || (stat.valid & kWanted) != kWanted)
      fail(fmt::format("the archive does not say how long it is ({})", zip_strerror(archive_.get())));
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
      fail("expected a member that is stored or deflated, received another method; write it by numpy.savez");
    length_ = stat.size;
    const bool fits = stat.comp_method == ZIP_CM_STORE ? stat.comp_size == stat.size
                                                       : stat.size / kDeflateRatio <= stat.comp_size;
    if (!fits) {
      fail(fmt::format("the archive states {} bytes packed into {}, which cannot be; it is damaged",
                       stat.size, stat.comp_size));
    }
    member_.reset(zip_fopen_index(archive_.get(), index, 0));
    if (!member_) fail(fmt::format("cannot be opened: {}", zip_strerror(archive_.get())));
  }

  void expect_remaining(std::uint64_t bytes, const std::string& why) const override {
    if (given() <= length_ && bytes == length_ - given()) return;
    fail(
        fmt::format("{}, so {} bytes should follow, but the archive states {} in all; it is not what it says",
                    why, bytes, length_));
  }

 private:
  std::size_t next(std::span<std::uint8_t> out) override {
    const zip_int64_t got = zip_fread(member_.get(), out.data(), out.size());
    if (got < 0)
      fail(fmt::format("the packed data are damaged ({}); write it again",
                       zip_error_strerror(zip_file_get_error(member_.get()))));
    return static_cast<std::size_t>(got);
  }

  Archive archive_;
  Member member_;
  std::uint64_t length_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> open_zip_member(const std::string& reader, const std::string& path,
                                            const std::string& member) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error(fmt::format("[{}] {}: expected an ordinary file, found none; check the path", reader, path));
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!archive) {
    zip_error_t reason{};
    zip_error_init_with_code(&reason, code);
    const Error damaged(
        fmt::format("[{}] {}: expected a zip archive (.npz): {}; it is damaged or another file", reader, path,
                    zip_error_strerror(&reason)));
    zip_error_fini(&reason);
    throw damaged;
  }
  for (const std::string& name : {member + ".npy", member}) {
    const zip_int64_t index = zip_name_locate(archive.get(), name.c_str(), 0);
    if (index >= 0)
      return std::make_unique<ZipMember>(reader, fmt::format("{}, array {}", path, member),
                                         std::move(archive), static_cast<zip_uint64_t>(index));
  }
  constexpr zip_int64_t kMostNames = 20;
  std::vector<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < std::min(count, kMostNames); ++i) {
    const char* name = zip_get_name(archive.get(), static_cast<zip_uint64_t>(i), 0);
    std::string text = name == nullptr ? "?" : name;
    if (text.ends_with(".npy")) text.resize(text.size() - 4);
    names.push_back(one_line(std::move(text)));
  }
  throw Error(fmt::format("[{}] {}: has no array '{}'; there {}", reader, path, member,
                          names.empty() ? "is none" : fmt::format("are {}", fmt::join(names, ", "))));
}

}  // namespace basin
