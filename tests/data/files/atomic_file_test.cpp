// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/atomic_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using data::detail::AtomicFile;
using test::content_of;
using test::FileLimit;
using test::Folder;
using test::message_of;

namespace {

using Names = std::vector<std::string>;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

void write(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

/// The folder that names are relative to, until the end of the scope.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::string& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingFolder() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

}  // namespace

TEST_SUITE("atomic file") {

TEST_CASE("a file does not exist before its commit and is complete after it") {
  const Folder folder;
  {
    AtomicFile file(folder.path("new"));
    file.write("one ");
    CHECK_FALSE(std::filesystem::exists(folder.path("new")));
    file.write("two");
    CHECK(file.position() == 7);
    file.seek(1);
    file.write("X");
    CHECK(file.position() == 2);
    file.commit();
    CHECK(content_of(folder.path("new")) == "oXe two");
  }
  CHECK(folder.names() == Names{"new"});
  write(folder.path("new"), "");
  CHECK(content_of(folder.path("new")).empty());
}

TEST_CASE("without a commit no new file is left, and the old file stays") {
  const Folder folder;
  folder.add("old", "before");
  {
    AtomicFile file(folder.path("old"));
    file.write("after");
  }
  CHECK(content_of(folder.path("old")) == "before");
  CHECK(folder.names() == Names{"old"});
}

TEST_CASE("a full disk leaves the old file and no temporary") {
  const Folder folder;
  folder.add("old", "before");
  const FileLimit limit(1000);
  CHECK(message_of<FileError>([&] { write(folder.path("old"), std::string(5000, 'x')); }) ==
        folder.path("old") + ": cannot be written; nothing was changed (File too large)");
  CHECK(content_of(folder.path("old")) == "before");
  CHECK(folder.names() == Names{"old"});
}

TEST_CASE("a file that cannot take its place leaves no temporary") {
  const Folder folder;
  AtomicFile file(folder.path("name"));
  file.write("x");
  std::filesystem::create_directory(folder.path("name"));
  CHECK(message_of<FileError>([&] { file.commit(); }) ==
        folder.path("name") + ": the written file cannot be moved to this name (Is a directory)");
  { const AtomicFile gone(folder.path("other")); }
  CHECK(folder.names().size() == 2);  // the folder, and a temporary until the object is gone
}

TEST_CASE("a program that is killed while it writes leaves nothing") {
  const Folder folder;
  const int unnamed = ::open(folder.path("").c_str(), O_WRONLY | O_TMPFILE, 0600);
  if (unnamed < 0) return;  // this file system has no files without a name
  ::close(unnamed);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder.path("file"));
    file.write(std::string(100'000, 'x'));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(folder.names().empty());
}

TEST_CASE("permissions are those of the umask, or of the file that was there") {
  const Folder folder;
  const mode_t mask = ::umask(027);
  write(folder.path("new"), "x");
  ::umask(mask);
  CHECK(mode_of(folder.path("new")) == 0640);
  ::chmod(folder.path("new").c_str(), 0600);
  write(folder.path("new"), "y");
  CHECK(mode_of(folder.path("new")) == 0600);
  ::chmod(folder.path("new").c_str(), 0666);
  write(folder.path("new"), "z");
  CHECK(mode_of(folder.path("new")) == 0666);
}

TEST_CASE("names may be relative, very long, or links") {
  const Folder folder;
  const WorkingFolder here(folder.path(""));
  const std::string longest(255, 'n');
  write(longest, "long");
  CHECK(content_of(longest) == "long");
  {
    const AtomicFile beside("beside");
    CHECK(folder.names().size() <= 2);  // the temporary is here, if it has a name
  }
  std::filesystem::create_directory("below");
  write("below/file", "1");
  std::filesystem::create_symlink("file", "below/link");
  std::filesystem::create_symlink("below/link", "link");
  write("link", "2");
  CHECK(std::filesystem::is_symlink("link"));
  CHECK(std::filesystem::is_symlink("below/link"));
  CHECK(content_of("below/file") == "2");
  std::filesystem::create_symlink("below/none", "dangling");
  write("dangling", "3");
  CHECK(content_of("below/none") == "3");
}

TEST_CASE("a device or a pipe is written to directly, and stays what it is") {
  const Folder folder;
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write(pipe, "text");
  char got[8] = {};
  CHECK(::read(reader, got, sizeof got) == 4);
  CHECK(std::string(got) == "text");
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(folder.names() == std::vector<std::string>{"pipe"});
  ::close(reader);
  write("/dev/null", "text");

  // The file behind an open descriptor is appended to, not replaced.
  const std::string path = folder.add("out", "");
  const int out = ::open(path.c_str(), O_WRONLY);
  REQUIRE(::write(out, "first ", 6) == 6);
  write("/dev/fd/" + std::to_string(out), "second");
  REQUIRE(::write(out, " third", 6) == 6);
  ::close(out);
  CHECK(content_of(path) == "first second third");
  CHECK(message_of<FileError>([&] {
          write("/dev/fd/" + std::to_string(out), "x");
        }).find("cannot be written") != std::string::npos);
  data::detail::AtomicFile parts("/dev/null");
  parts.write("abc");
  parts.seek(1);
  CHECK(message_of<FileError>([&] { parts.write("x"); }) ==
        "/dev/null: this format is not written in one go; write it to a plain file");
}

TEST_CASE("a target that cannot be written is refused before any file is made") {
  const Folder folder;
  std::filesystem::create_directory(folder.path("folder"));
  CHECK(message_of<FileError>([&] { write(folder.path("folder"), "x"); }) ==
        folder.path("folder") + ": cannot be written: it is a folder; give another name");
  CHECK(message_of<FileError>([&] { write(folder.path("no/file"), "x"); }) ==
        folder.path("no/file") +
            ": cannot be written: no file can be made in its folder (No such file or directory)");
  CHECK(folder.names() == Names{"folder"});
}

}  // TEST_SUITE("atomic file")
