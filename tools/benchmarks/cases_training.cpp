// SPDX-License-Identifier: BSD-3-Clause
// What the training loop and its snapshots add to the work itself.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <streambuf>

#include "arrays.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/callbacks/progress.hpp"
#include "ebb/optim/fit.hpp"
#include "ebb/optim/snapshot.hpp"

namespace bench {
namespace {

constexpr std::int64_t batches = 100, batch = 224, features = 100, hidden = 64, classes = 10;

/// Swallows what is written.
struct Nowhere : std::streambuf {
  int overflow(int c) override { return c; }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

struct Network {
  ebb::nn::Linear<float> first, second;
  explicit Network(ebb::Stream stream)
      : first(features, hidden, stream), second(hidden, classes, stream) {}
  ebb::Tensor<float> operator()(const ebb::Operand<float>& x) const {
    return second(relu(first(x)));
  }
  void each(ebb::Parts& part) {
    part("first", first);
    part("second", second);
  }
};

struct Training {
  Network model{ebb::Stream(1)};
  ebb::optim::Optimizer<ebb::optim::SGD> optimizer{model, ebb::optim::SGD{.learning_rate = 1e-4}};
  std::optional<ebb::data::Loader<ebb::data::TensorDataset<float, std::int64_t>>> loader;
  Nowhere nowhere;
  std::ostream out{&nowhere};

  Training() {
    Numbers x(batches * batch * features);
    auto labels = ebb::Array<std::int64_t>::uninitialized({batches * batch});
    for (std::int64_t i = 0; i < labels.size(); ++i) labels.mutate()[i] = i * 7 % classes;
    loader.emplace(ebb::data::TensorDataset(array({batches * batch, features}, x), labels),
                   ebb::data::LoaderOptions{.batch_size = batch, .seed = 1});
  }
};

// Counts an epoch by `fit`, with progress for a terminal and the history. The limit is the same
// epoch in a loop by hand, which looks at no gradient and keeps nothing.
Sides fitted() {
  auto ours = std::make_shared<Training>(), limit = std::make_shared<Training>();
  return {[ours] {
            const auto loss = [&](const auto& x, const auto& y) {
              return cross_entropy(ours->model(x), y);
            };
            ebb::optim::PrintProgress progress(ours->out, true, 1);
            keep(ebb::optim::fit(loss, ours->optimizer, *ours->loader,
                                 {.epochs = 1, .callbacks = {&progress}}));
          },
          [limit] {
            for (const auto& [x, y] : *limit->loader) {
              {
                ebb::Tape tape;
                const auto loss = cross_entropy(limit->model(x), y);
                backward(loss);
                keep(loss);
              }
              limit->optimizer.step();
              limit->optimizer.zero_grad();
            }
          }};
}

/// Microseconds a step, from many short samples: a bound of a few per cent needs them.
Figures fit_and_loop() {
  const Sides sides = fitted();
  const auto seconds = [](const Loop& loop) {
    const double start = now();
    loop(1);
    return (now() - start) / batches;
  };
  sides.ours(2);
  sides.limit(2);
  std::vector<double> ours, limit;
  for (int sample = 0; sample < 61; ++sample) {
    ours.push_back(seconds(sides.ours));
    limit.push_back(seconds(sides.limit));
  }
  return {median(ours) * 1e6, median(limit) * 1e6};
}

struct Files {
  static constexpr std::int64_t size = 10'000'000;
  Numbers numbers{size};
  ebb::Variable<float> weight = variable({size}, numbers);
  std::string path =
      (std::filesystem::temp_directory_path() / ("ebb_bench_" + std::to_string(::getpid())))
          .string();
  std::vector<ebb::data::StatePart> parts{{"weight", weight}};

  ~Files() {
    std::filesystem::remove(path + ".safetensors");
    std::filesystem::remove(path + ".raw");
  }
  void write_raw() {
    const std::string target = path + ".raw";
    const int file = ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const auto* bytes = reinterpret_cast<const char*>(numbers.data());
    ssize_t left = size * std::int64_t(sizeof(float)), wrote = 0;
    while (left > 0 && (wrote = ::write(file, bytes, std::size_t(left))) > 0) {
      bytes += wrote;
      left -= wrote;
    }
    if (::fsync(file) != 0 || ::close(file) != 0 || left > 0)
      throw std::runtime_error("cannot write " + target);
  }
};

// Counts a snapshot of one parameter, on the disk and in its place. The limit writes the same bytes
// into a file of the same folder and waits for the disk, too.
Sides snapshot() {
  auto f = std::make_shared<Files>();
  return {[f] { ebb::optim::save_snapshot(f->path + ".safetensors", f->parts); },
          [f] { f->write_raw(); }};
}

}  // namespace

void add_training(std::vector<Case>& cases) {
  cases.push_back({"training/fit/step_of_100us/f32", "us", 1.03, fit_and_loop});
  cases.push_back(versus("training/snapshot/10000000/f32", "ms", 1.5, snapshot));
}

}  // namespace bench
