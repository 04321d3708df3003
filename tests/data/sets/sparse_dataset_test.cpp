// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/sets/sparse_dataset.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/formats/libsvm.hpp"
#include "ebb/tests/close.hpp"
#include "ebb/tests/files.hpp"
#include "ebb/tests/message.hpp"

using namespace ebb;
using ebb::test::message_of;
using ebb::test::same_bits;

namespace {

template <class T>
Array<T> dense_rows() {
  return Array<T>::of({{0, 2, 0, 0}, {0, 0, 0, 0}, {-1, 0, 3, 0}, {4, 5, 6, T(0.1)}, {0, 0, 0, 7}});
}

template <class T>
data::SparseSupervised<T> read(const std::string& content,
                               const data::LibsvmOptions& options = {}) {
  const test::Folder folder;
  return data::read_libsvm_sparse<T>(folder.add("t.svm", content), options);
}
std::string error(const std::string& content, const data::LibsvmOptions& options = {}) {
  const test::Folder folder;
  const std::string path = folder.add("t.svm", content);
  const std::string text =
      message_of<FileError>([&] { data::read_libsvm_sparse<float>(path, options); });
  return text.starts_with(path) ? text.substr(path.size() + 1) : text;
}

}  // namespace

TEST_SUITE_BEGIN("sparse data sets");

TEST_CASE_TEMPLATE("batches have the rows of their indices, for real targets and labels", T, float,
                   double) {
  const auto x = SparseRows<T>::from_dense(dense_rows<T>());
  const data::SparseDataset<T, std::int64_t> labels(x, Array<std::int64_t>::of({0, 1, 2, 3, 4}));
  CHECK(labels.size() == 5);
  const std::vector<std::int64_t> indices{3, 0, 3};
  const auto [some, classes] = labels.rows(indices);
  CHECK_AGREES(same_bits(some.to_dense(),
                         Array<T>::of({{4, 5, 6, T(0.1)}, {0, 2, 0, 0}, {4, 5, 6, T(0.1)}})));
  CHECK_AGREES(same_bits(classes, Array<std::int64_t>::of({3, 0, 3})));
  CHECK(some.shared_values().data() == x.shared_values().data());
  labels.prefetch(std::vector<std::int64_t>{0, 4, -1, std::int64_t(1) << 50});
  CHECK(message_of<ArgumentError>([&] { labels.rows(std::vector<std::int64_t>{5}); }) ==
        "SparseDataset: row 5 of an array with 5 rows");
  CHECK(message_of<ShapeError>([&] { data::SparseDataset<T>(x, Array<T>::zeros({4})); }) ==
        "SparseDataset: inputs of shape (5, 4) and targets of shape (4,); both must have the same "
        "number of rows");
}

TEST_CASE("a loader goes over all rows, shuffled and with workers") {
  const auto dense = dense_rows<double>();
  const auto x = SparseRows<double>::from_dense(dense);
  const data::SparseDataset<double> rows(x, Array<double>({5, 1}, {0, 1, 2, 3, 4}));
  for (const int workers : {0, 2}) {
    data::Loader loader(rows, {.batch_size = 2, .workers = workers});
    double seen = 0;
    std::int64_t count = 0;
    for (const auto& [some, y] : loader) {
      const auto all = some.to_dense();
      count += some.rows();
      for (std::int64_t i = 0; i < some.rows(); ++i) {
        seen += y.data()[i];
        for (std::int64_t j = 0; j < 4; ++j)
          CHECK(all(i, j) == dense(std::int64_t(y.data()[i]), j));
      }
    }
    CHECK(count == 5);
    CHECK(seen == 10);
  }
}

TEST_CASE_TEMPLATE("a file gives the same rows sparse and dense", T, float, double) {
  const std::string content = "+1 1:0.5 3:-2e1 # 4:1\n\n-1 2:4 3:0\n0\n";
  const auto [x, y] = read<T>(content);
  CHECK(x.shape() == Shape{3, 3});
  CHECK(x.nonzeros() == 4);
  CHECK_AGREES(same_bits(x.to_dense(), Array<T>::of({{T(0.5), 0, -20}, {0, 4, 0}, {0, 0, 0}})));
  CHECK_AGREES(same_bits(y, Array<T>({3, 1}, {1, -1, 0})));
  CHECK(read<T>("1 0:3\n", {.features = 7, .first = 0}).x.shape() == Shape{1, 7});
  CHECK(read<T>("1\n", {.features = 2}).x.nonzeros() == 0);
}

TEST_CASE("wide files need memory for their values only") {
  // As a dense array the first of these would take eight terabytes.
  const auto [x, y] = read<double>("1 1:2 1000000000:3\n2\n", {.read = {.max_bytes = 1 << 20}});
  CHECK(x.shape() == Shape{2, 1'000'000'000});
  CHECK(x.row(0).columns[1] == 999'999'999);
  std::string many;
  for (int i = 0; i < 4000; ++i) many += "1 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8\n";
  CHECK(error(many, {.read = {.max_bytes = 1 << 19}}).find("max_bytes") != std::string::npos);
  // What is read fits into this, and the arrays that it goes to do not.
  CHECK(error(many, {.read = {.max_bytes = 1'400'000}}).find("max_bytes") != std::string::npos);
  CHECK(read<float>(many, {.read = {.max_bytes = 1 << 22}}).x.nonzeros() == 32000);
}

TEST_CASE("errors of sparse reading name the place") {
  CHECK(error("1 1:1 1:2\n") == "1:7: the index 1 is not above the one before");
  CHECK(error("1 0:1\n").starts_with("1:3: the index 0, where features count from 1"));
  CHECK(error("1\n") ==
        "1:1: no row names a feature; say how many there are by LibsvmOptions::features");
  CHECK(error("1 1:1\n1 9000000000000000000:1\n") ==
        "2:3: the index 9000000000000000000 makes 9000000000000000000 features, more than an array "
        "of as many rows can hold; correct it or number the features anew");
  CHECK(error("1 90223720368507:58\n").find("90223720368507 features, more than an array") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([] { read<float>("1 1:1\n", {.first = 2}); }) ==
        "read_libsvm_sparse: the first feature has index 0 or 1, not 2");
  CHECK(message_of<ArgumentError>([] { read<float>("1 1:1\n", {.features = -1}); }) ==
        "read_libsvm_sparse: LibsvmOptions::features is -1; 0 takes the highest index");
}

TEST_CASE("what is written reads back") {
  const test::Folder folder;
  const auto x = SparseRows<double>::from_dense(dense_rows<double>());
  const Array<double> y({5, 1}, {1, -1, 0.1, 2, 3});
  for (const char* name : {"a.svm", "a.svm.gz"}) {
    data::write_libsvm(folder.path(name), x, y);
    const auto [x2, y2] = data::read_libsvm_sparse<double>(folder.path(name));
    CHECK_AGREES(same_bits(x2.to_dense(), x.to_dense()));
    CHECK_AGREES(same_bits(y2, y));
  }
  CHECK(test::content_of(folder.path("a.svm")).starts_with("1 2:2\n-1\n0.1 1:-1 3:3\n"));
  data::write_libsvm(folder.path("b.svm"), x.rows(std::vector<std::int64_t>{4}),
                     Array<double>::of({{2}}), 0);
  CHECK(test::content_of(folder.path("b.svm")) == "2 3:7\n");
  CHECK(message_of<ShapeError>([&] {
          data::write_libsvm(folder.path("c"), x, Array<double>::of({1, 2}));
        }) ==
        "write_libsvm: features of shape (5, 4) and targets of shape (2,); they must be (rows, "
        "features) and (rows, 1)");
}

TEST_SUITE_END();
