// SPDX-License-Identifier: BSD-3-Clause
// Linear regression on a file several times as large as the memory that the process allows itself:
// by mini-batches that read the file once an epoch, in a new order each time, and by the gradient
// of all rows, added up from blocks. The program makes the file, so the true weights are known.
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using Weights = std::vector<double>;

namespace {

constexpr std::int64_t features = 255, columns = features + 1;  // the target comes last
constexpr std::int64_t row_bytes = columns * std::int64_t(sizeof(float));
constexpr std::int64_t mebibyte = 1 << 20;

struct Options {
  std::int64_t size = 512, memory = 128;
  int epochs = 2;
  std::uint64_t seed = 0;
};

/// A temporary folder, removed with its content at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ebb_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw FileError(name + ": cannot be created");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Limits the address space of the process to this number of bytes, and describes the limit. It
/// takes effect by starting the program once more, since OpenBLAS starts a thread for each
/// processor before `main` and reserves 128 MB for it.
std::string limit_memory(std::int64_t bytes, char** argv) {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const std::int64_t mapped = pages * ::sysconf(_SC_PAGESIZE);
  if (mapped > std::int64_t(1) << 40) {
    return "none, as a sanitizer needs terabytes of address space";
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  const char* const threads = std::getenv("OPENBLAS_NUM_THREADS");
  if (limit.rlim_cur > rlim_t(bytes) || threads == nullptr || std::string(threads) != "1") {
    limit.rlim_cur = std::min(limit.rlim_cur, rlim_t(bytes));
    ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (::setrlimit(RLIMIT_AS, &limit) == 0) ::execv("/proc/self/exe", argv);
    throw Error("the program cannot be started again with less memory");
  }
  return std::to_string(limit.rlim_cur / rlim_t(mebibyte)) +
         " MB of address space, of which the program takes " + std::to_string(mapped / mebibyte) +
         " MB";
}

/// Writes rows of independent features of variance 1 and y = w x + bias + noise, one by one.
/// Returns w and, last, the bias.
Weights write_rows(const std::string& path, std::int64_t rows, std::uint64_t seed) {
  Stream stream = Stream(seed).split(1);
  Weights truth(std::size_t(columns), 0);
  for (double& w : truth) w = stream.normal();
  std::ofstream file(path, std::ios::binary);
  std::vector<float> row(std::size_t(columns), 0);
  for (std::int64_t i = 0; i < rows; ++i) {
    double y = truth.back() + 0.1 * stream.normal();
    for (std::size_t j = 0; j + 1 < row.size(); ++j) {
      row[j] = float(std::sqrt(12.0) * (double(stream.next()) * 0x1p-32 - 0.5));
      y += truth[j] * double(row[j]);
    }
    row.back() = float(y);
    file.write(reinterpret_cast<const char*>(row.data()), row_bytes);
  }
  file.close();
  if (!file) throw FileError(path + ": cannot be written; is the disk full?");
  return truth;
}

/// Which rows were asked for, and in which order.
struct Epoch {
  std::vector<std::uint8_t> times;
  std::vector<std::uint32_t> order;
};

/// A data set that records which rows it is asked for: anything with `size` and `rows` is one.
struct Counted {
  data::FileArray<float> file;
  std::shared_ptr<Epoch> epoch;

  std::int64_t size() const { return file.size(); }
  Array<float> rows(std::span<const std::int64_t> indices) const {
    for (const std::int64_t index : indices) {
      ++epoch->times[std::size_t(index)];
      epoch->order.push_back(std::uint32_t(index));
    }
    return file.rows(indices);
  }
};

/// Inputs and targets from rows that hold both.
data::Batch<float> split_target(const Array<float>& rows) {
  return {slice(rows, 1, {0, features}), slice(rows, 1, {features, columns})};
}

double distance(const nn::Linear<float>& model, const Weights& truth) {
  double difference = 0, norm = 0;
  for (std::size_t j = 0; j < truth.size(); ++j) {
    const auto w = double(j + 1 < truth.size() ? model.weight.value()[std::int64_t(j)]
                                               : model.bias.value().item());
    difference += (w - truth[j]) * (w - truth[j]);
    norm += truth[j] * truth[j];
  }
  return std::sqrt(difference / norm);
}

constexpr std::int64_t mixed_blocks = 12;

/// Mini-batches. Blocks of the file come in random order, and the rows of a few blocks at a time
/// are shuffled with each other. The window has room for twice as many: these and the next ones.
void train_by_batches(data::FileArray<float> file, const Options& options, const Weights& truth) {
  const std::int64_t n = file.size();
  const auto epoch = std::make_shared<Epoch>();
  data::Loader loader(
      data::TransformedDataset(Counted{file, epoch}, split_target),
      {.batch_size = 256,
       .seed = options.seed,
       .sampler = data::block_shuffled(n, {.block = file.block_rows(), .window = mixed_blocks})});
  auto model = nn::Linear<float>::zeros(features, 1);
  optim::Optimizer optimizer(model, optim::SGD{});
  std::vector<std::uint32_t> order_before(std::size_t(n), 0);  // first that of the file
  std::iota(order_before.begin(), order_before.end(), 0U);
  std::int64_t bytes_before = 0;
  for (int e = 0; e < options.epochs; ++e) {
    epoch->times.assign(std::size_t(n), 0);
    epoch->order.clear();
    optimizer.rule().learning_rate = 0.05 * (1 - double(e) / options.epochs);
    double total = 0;
    for (const auto& [x, y] : loader) {
      Tape tape;
      const auto loss = mse_loss(model(x), y);
      backward(loss);
      optimizer.step();
      optimizer.zero_grad();
      total += loss.item();
    }
    const auto [least, most] = std::minmax_element(epoch->times.begin(), epoch->times.end());
    std::int64_t same = 0;
    for (std::size_t i = 0; i < order_before.size(); ++i)
      same += order_before[i] == epoch->order[i];
    const std::string times = *least == 1 && *most == 1 ? "exactly once"
                                                        : std::to_string(*least) + " to " +
                                                              std::to_string(*most) + " times";
    std::printf(
        "epoch %4d  loss %.6g  every row %s, %lld at the same place as before; the file was read "
        "%.3f times\n",
        e + 1, total / double(loader.size()), times.c_str(), static_cast<long long>(same),
        double(file.bytes_read() - bytes_before) / double(n * row_bytes));
    std::fflush(stdout);
    order_before = epoch->order;
    bytes_before = file.bytes_read();
  }
  std::printf("batch_distance_to_truth %.3g\n", distance(model, truth));
}

/// Adds the gradient of the mean loss over all rows to the model's: each block of rows gives its
/// share, on a tape of its own. Returns the loss.
template <data::Dataset D>
double backward_by_blocks(const nn::Linear<float>& model, const D& rows, std::int64_t block) {
  double mean = 0;
  for (const auto& [x, y] : data::Loader(rows, {.batch_size = block, .shuffle = false})) {
    Tape tape;
    const auto loss = double(y.size()) / double(rows.size()) * mse_loss(model(x), y);
    backward(loss);
    mean += loss.item();
  }
  return mean;
}

/// How much the gradient depends on the size of the blocks: the largest difference between one
/// block and blocks of 1000 rows, divided by the largest element. Only rounding differs.
double difference_of_blocks(const data::FileArray<float>& file) {
  const std::int64_t fit = std::min<std::int64_t>(file.size(), 8192);
  data::Rows first(std::size_t(fit), 0);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = std::int64_t(i);
  const data::TransformedDataset rows(data::Subset(file, first), split_target);
  Stream stream(1);
  nn::Linear<float> whole(features, 1, stream), cut(features, 1);
  cut.weight.set_value(whole.weight.value());
  cut.bias.set_value(whole.bias.value());
  backward_by_blocks(whole, rows, fit);
  backward_by_blocks(cut, rows, 1000);
  double difference = 0, largest = 0;
  for (std::int64_t j = 0; j < features; ++j) {
    const auto a = double(whole.weight.gradient()[j]), b = double(cut.weight.gradient()[j]);
    difference = std::max(difference, std::abs(a - b));
    largest = std::max(largest, std::abs(a));
  }
  return difference / largest;
}

/// Gradient descent: each step uses the gradient of all rows.
void train_by_all_rows(const data::FileArray<float>& file, const Weights& truth) {
  std::printf("block_difference %.3g\n", difference_of_blocks(file));
  const data::TransformedDataset rows(file, split_target);
  auto model = nn::Linear<float>::zeros(features, 1);
  // With independent features of variance 1 every slope is twice the distance to the true weight.
  optim::Optimizer optimizer(model, optim::SGD{.learning_rate = 0.5});
  for (int step = 0; step < 3; ++step) {
    std::printf("step %4d  loss %.6g\n", step + 1, backward_by_blocks(model, rows, 1024));
    std::fflush(stdout);
    optimizer.step();
    optimizer.zero_grad();
  }
  std::printf("full_batch_distance_to_truth %.3g\n", distance(model, truth));
}

void run(const Options& options, const std::string& limit) {
  const std::int64_t rows = options.size * mebibyte / row_bytes;
  // The folder is removed at once: an open file needs no name, and the system frees it when the
  // program ends, however that happens.
  auto folder = std::make_unique<TemporaryFolder>();
  const std::string path = folder->path("rows.raw");
  const Weights truth = write_rows(path, rows, options.seed);
  auto shuffled =
      data::window_raw<float>(path, {.row = {columns}}, {.memory = 2 * mixed_blocks * mebibyte});
  const auto in_order = data::window_raw<float>(path, {.row = {columns}}, {.memory = 4 * mebibyte});
  folder.reset();
  std::printf("memory limit: %s\n", limit.c_str());
  std::printf("file: %lld MB, %lld rows of %lld features and a target\n",
              static_cast<long long>(options.size), static_cast<long long>(rows),
              static_cast<long long>(features));
  train_by_batches(std::move(shuffled), options, truth);  // frees its window at the end
  train_by_all_rows(in_order, truth);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("peak_resident_mb %.1f\n", double(usage.ru_maxrss) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Linear regression on a file that is larger than the memory");
  app.add_option("--size", options.size, "Size of the file in MB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--memory", options.memory, "Address space that the process may use, in MB")
      ->check(CLI::Range(96, 1 << 20))
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "Passes of mini-batches over the file")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the file and of the orders of its rows")
      ->capture_default_str();
  return example::parse_and_run(
      app, argc, argv, [&] { run(options, limit_memory(options.memory * mebibyte, argv)); });
}
