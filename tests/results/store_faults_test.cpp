#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>

#include <csignal>

#include "results/files/sha256.h"
#include "results/folder.h"
#include "results/hdf5/hdf5_handle.h"
#include "results/hdf5/seal.h"
#include "results/hdf5/store.h"
#include "results/hdf5/trial.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::Folder;

Store filled(Index size, double value = 1) {
  Store store;
  store.put("/parameters/W", Tensor::full({size}, value));
  store.put("/metrics/loss", std::vector<double>{3, 2, 1});
  store.put_text("/experiment/given", "seed = 7");
  store.attribute("/metrics/loss", "unit", std::string("nats"));
  return store;
}

std::string error_of_load(const std::string& path) {
  try {
    Store::load(path);
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    EXPECT_NE(what.find(path), std::string::npos) << what;
    return what;
  }
  return "no error";
}

/// No file may grow beyond `bytes` while one lives: what a full disk looks like to a program.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(StoreFaults, AFullDiskLeavesTheOldFile) {
  const Folder folder;
  filled(100).save(folder / "a.h5");
  const std::string before = folder.read("a.h5");
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{1000}, rlim_t{100000}}) {
    const FullDisk full(bytes);
    EXPECT_THROW(filled(100000, 2).save(folder / "a.h5"), Error) << bytes;
    EXPECT_THROW(filled(100000, 2).save(folder / "new.h5"), Error) << bytes;
  }
  EXPECT_EQ(folder.read("a.h5"), before);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"})
      << "neither a temporary file nor a half-written new one";
  filled(100000, 2).save(folder / "a.h5");
  EXPECT_EQ(Store::load(folder / "a.h5").tensor("/parameters/W").dim(0), 100000) << "and the next save works";
}

TEST(StoreFaults, RefusesImpossibleTargets) {
  const Folder folder;
  EXPECT_THROW(filled(1).save(folder / "missing/a.h5"), Error);
  std::filesystem::create_directory(folder / "sub");
  EXPECT_THROW(filled(1).save(folder / "sub"), Error);
  EXPECT_THROW(filled(1).save("/dev/null"), Error);
  EXPECT_THROW(filled(1).save(""), Error);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"sub"});
}

TEST(StoreFaults, RefusesWhatIsNotHdf5) {
  const Folder folder;
  EXPECT_NE(error_of_load(folder / "absent.h5").find("cannot read"), std::string::npos);
  folder.write("empty.h5", "");
  EXPECT_NE(error_of_load(folder / "empty.h5").find("received an empty file"), std::string::npos);
  folder.write("text.h5", "seed = 7\nmodel = {}\n");
  EXPECT_NE(error_of_load(folder / "text.h5").find("expected an HDF5 file"), std::string::npos);
  folder.write("magic.h5", "\x89HDF\r\n\x1a\n");
  EXPECT_NE(error_of_load(folder / "magic.h5").find("cannot be read as HDF5"), std::string::npos);
  std::filesystem::create_directory(folder / "sub");
  EXPECT_NE(error_of_load(folder / "sub").find("expected the name of a file"), std::string::npos);
}

TEST(StoreFaults, RefusesTruncatedFiles) {
  const Folder folder;
  filled(2000).save(folder / "a.h5");
  const std::string whole = folder.read("a.h5");
  ASSERT_GT(whole.size(), 8000u);
  for (std::size_t i = 0; i < 40; ++i) {
    const std::size_t length = i < 20 ? whole.size() * i / 20 : whole.size() - 1 - (i - 20) * 7;
    folder.write("cut.h5", whole.substr(0, length));
    EXPECT_NE(error_of_load(folder / "cut.h5"), "no error")
        << "cut to " << length << " of " << whole.size() << " bytes";
  }
}

TEST(StoreFaults, EveryFlippedByteIsNoticed) {
  const Folder folder;
  filled(300).save(folder / "a.h5");
  const std::string whole = folder.read("a.h5");
  for (std::size_t offset = 0; offset < whole.size(); offset += 7) {
    std::string bad = whole;
    bad[offset] = static_cast<char>(~bad[offset]);
    folder.write("bad.h5", bad);
    ASSERT_NE(error_of_load(folder / "bad.h5"), "no error") << offset;
  }
}

TEST(StoreFaults, FilesWithoutASealAreRead) {
  const Folder folder;
  filled(300).save(folder / "a.h5");
  std::string bytes = folder.read("a.h5");
  ASSERT_TRUE(unseal(bytes, "a.h5"));
  EXPECT_FALSE(unseal(bytes, "a.h5"));
  folder.write("old.h5", bytes);
  EXPECT_EQ(Store::load(folder / "old.h5").list(), filled(1).list());
}

TEST(StoreFaults, DamagedFilesWithoutASealEndNobody) {
  const Folder folder;
  filled(300).save(folder / "a.h5");
  std::string whole = folder.read("a.h5");
  ASSERT_TRUE(unseal(whole, "a.h5"));
  for (std::size_t offset = 0; offset < whole.size(); offset += 9) {
    std::string bad = whole;
    bad[offset] = static_cast<char>(~bad[offset]);
    folder.write("bad.h5", bad);
    try {
      // A flip inside the numbers reads as other numbers; all else must be noticed.
      EXPECT_EQ(Store::load(folder / "bad.h5").list(), filled(1).list()) << offset;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("bad.h5"), std::string::npos) << error.what();
    }
  }
}

TEST(StoreFaults, WhatEndsAReaderEndsAChild) {
  EXPECT_NO_THROW(try_to_read("a.h5", [] {}));
  EXPECT_NO_THROW(try_to_read("a.h5", [] { throw Error("said by whoever reads it then"); }));
  for (const int signal : {SIGSEGV, SIGABRT, SIGXCPU}) {
    try {
      try_to_read("a.h5", [&] {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
      });
      FAIL() << signal;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()), "[hdf5] a.h5: HDF5 breaks down on it: the file is damaged");
    }
  }
}

TEST(StoreFaults, FollowsNoLinkToAnotherFile) {
  const Folder folder;
  filled(3).save(folder / "other.h5");
  {
    const Hdf5Session session;
    const Hdf5Handle file(H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                          H5Fclose, "a.h5");
    H5Lcreate_external("other.h5", "/parameters", file, "parameters", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_NE(error_of_load(folder / "a.h5").find("received a link to elsewhere"), std::string::npos);
}

TEST(StoreFaults, TheSealIsTheSha256OfWhatStandsBeforeIt) {
  const Folder folder;
  filled(300).save(folder / "a.h5");
  const std::string whole = folder.read("a.h5");
  const std::string content = whole.substr(0, whole.size() - 72);
  EXPECT_EQ(whole.substr(content.size()), "sha256 " + Sha256().update(content).hex() + "\n");
}

}  // namespace
}  // namespace basin
