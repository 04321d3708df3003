// SPDX-License-Identifier: BSD-3-Clause
#include "torch.hpp"

#include <cblas.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "../bench.hpp"

extern "C" void sgemm_();

namespace torch_side {
namespace {

torch::Tensor copy(const float* numbers, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<float*>(numbers), shape).clone();
}

torch::Tensor copy(const std::int64_t* numbers, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<std::int64_t*>(numbers), shape, torch::kInt64).clone();
}

class LinearModules : public Work {
 public:
  LinearModules(const float* x, const float* y, double rate)
      : x_(copy(x, {32, 10})), y_(copy(y, {32, 1})), optimizer_(model_->parameters(), rate) {
    const torch::NoGradGuard guard;
    model_->weight.zero_();
    model_->bias.zero_();
  }
  void run() override {
    loss_ = torch::mse_loss(model_(x_), y_);
    loss_.backward();
    optimizer_.step();
    optimizer_.zero_grad();
  }
  double loss() const override { return loss_.item<double>(); }

 private:
  torch::Tensor x_, y_, loss_;
  torch::nn::Linear model_{10, 1};
  torch::optim::SGD optimizer_;
};

// The gradients are dropped with the vector that holds them.
class LinearTensors : public Work {
 public:
  LinearTensors(const float* x, const float* y, double rate)
      : x_(copy(x, {32, 10})), y_(copy(y, {32, 1})), rate_(rate) {}
  void run() override {
    loss_ = torch::mse_loss(torch::linear(x_, w_, b_), y_);
    const std::vector<torch::Tensor> gradients = torch::autograd::grad({loss_}, {w_, b_});
    const torch::NoGradGuard guard;
    w_.sub_(gradients[0], rate_);
    b_.sub_(gradients[1], rate_);
  }
  double loss() const override { return loss_.item<double>(); }

 private:
  torch::Tensor x_, y_, loss_;
  torch::Tensor w_ = torch::zeros({1, 10}, torch::requires_grad());
  torch::Tensor b_ = torch::zeros({1}, torch::requires_grad());
  double rate_;
};

class MlpSteps : public Work {
 public:
  MlpSteps(const MlpParameters& p, std::int64_t batch, const float* x, const std::int64_t* labels,
           double rate)
      : x_(copy(x, {batch, Mlp::in})),
        labels_(copy(labels, {batch})),
        first_(layer(p.w1, p.b1, Mlp::in, Mlp::first)),
        second_(layer(p.w2, p.b2, Mlp::first, Mlp::second)),
        out_(layer(p.w3, p.b3, Mlp::second, Mlp::out)),
        optimizer_({first_->weight, first_->bias, second_->weight, second_->bias, out_->weight,
                    out_->bias},
                   rate) {}
  void run() override {
    const torch::Tensor z = out_(torch::relu(second_(torch::relu(first_(x_)))));
    loss_ = torch::cross_entropy_loss(z, labels_);
    loss_.backward();
    optimizer_.step();
    optimizer_.zero_grad();
  }
  double loss() const override { return loss_.item<double>(); }

 private:
  static torch::nn::Linear layer(const float* w, const float* b, std::int64_t in,
                                 std::int64_t out) {
    torch::nn::Linear made(in, out);
    const torch::NoGradGuard guard;
    made->weight.copy_(copy(w, {out, in}));
    made->bias.copy_(copy(b, {out}));
    return made;
  }

  torch::Tensor x_, labels_, loss_;
  torch::nn::Linear first_, second_, out_;
  torch::optim::Adam optimizer_;
};

/// An epoch of batches: `each(visit)` calls visit(x, y) for every batch.
template <class Batches>
class Epochs : public Work {
 public:
  explicit Epochs(Batches batches) : batches_(std::move(batches)) {}
  void run() override {
    batches_.each([](const torch::Tensor& x, const torch::Tensor& y) {
      bench::keep(x);
      bench::keep(y);
    });
  }
  double loss() const override {
    double total = 0;
    std::int64_t rows = 0;
    batches_.each([&](const torch::Tensor& x, const torch::Tensor& y) {
      total += double(x.size(0)) * torch::mse_loss(x.sum(1, true), y).item<double>();
      rows += x.size(0);
    });
    return total / double(rows);
  }

 private:
  Batches batches_;
};

// One tensor holds inputs and targets, for TensorDataset has no more, and every further one would
// cost a view and a copy for each row.
class DataLoaderBatches {
 public:
  DataLoaderBatches(const float* x, const float* y, std::int64_t rows, std::int64_t features,
                    std::int64_t batch)
      : features_(features),
        loader_(torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
            torch::data::datasets::TensorDataset(
                torch::cat({copy(x, {rows, features}), copy(y, {rows, 1})}, 1))
                .map(torch::data::transforms::Stack<torch::data::TensorExample>()),
            torch::data::DataLoaderOptions().batch_size(std::size_t(batch)))) {}
  template <class Visit>
  void each(const Visit& visit) const {
    for (const torch::data::TensorExample& example : *loader_) {
      visit(example.data.narrow(1, 0, features_), example.data.narrow(1, features_, 1));
    }
  }

 private:
  using Rows =
      torch::data::datasets::MapDataset<torch::data::datasets::TensorDataset,
                                        torch::data::transforms::Stack<torch::data::TensorExample>>;
  std::int64_t features_;
  std::unique_ptr<torch::data::StatelessDataLoader<Rows, torch::data::samplers::RandomSampler>>
      loader_;
};

class IndexSelectBatches {
 public:
  IndexSelectBatches(const float* x, const float* y, std::int64_t rows, std::int64_t features,
                     std::int64_t batch)
      : x_(copy(x, {rows, features})), y_(copy(y, {rows, 1})), batch_(batch) {}
  template <class Visit>
  void each(const Visit& visit) const {
    const std::int64_t rows = x_.size(0);
    const torch::Tensor order = torch::randperm(rows, torch::kInt64);
    for (std::int64_t first = 0; first < rows; first += batch_) {
      const torch::Tensor some = order.narrow(0, first, std::min(batch_, rows - first));
      visit(x_.index_select(0, some), y_.index_select(0, some));
    }
  }

 private:
  torch::Tensor x_, y_;
  std::int64_t batch_;
};

/// The file of the library that has this function.
std::string library_of(void* function) {
  Dl_info info{};
  return dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "?";
}

// libtorch takes sgemm_ from libblas.so.3, which on Debian is the administrator's choice: OpenBLAS
// if it is installed, or the slow reference. Here OpenBLAS is linked directly, and so found first.
std::string blas() { return library_of(reinterpret_cast<void*>(&sgemm_)); }

}  // namespace

std::unique_ptr<Work> linear_steps(const float* x, const float* y, double rate, bool as_modules) {
  if (as_modules) return std::make_unique<LinearModules>(x, y, rate);
  return std::make_unique<LinearTensors>(x, y, rate);
}

std::unique_ptr<Work> mlp_steps(const MlpParameters& parameters, std::int64_t batch, const float* x,
                                const std::int64_t* labels, double rate) {
  return std::make_unique<MlpSteps>(parameters, batch, x, labels, rate);
}

std::unique_ptr<Work> epochs(const float* x, const float* y, std::int64_t rows,
                             std::int64_t features, std::int64_t batch, bool by_data_loader) {
  if (by_data_loader) {
    return std::make_unique<Epochs<DataLoaderBatches>>(
        DataLoaderBatches(x, y, rows, features, batch));
  }
  return std::make_unique<Epochs<IndexSelectBatches>>(
      IndexSelectBatches(x, y, rows, features, batch));
}

void set_up() {
  const std::string ours = library_of(reinterpret_cast<void*>(&cblas_sgemm));
  if (blas() != ours) {
    throw std::runtime_error("libtorch takes its products from " + blas() + " and ebb from " +
                             ours + "; link OpenBLAS before libtorch");
  }
  at::set_num_threads(1);
  openblas_set_num_threads(1);
  // Otherwise malloc gives back what a step of libtorch frees, and each step faults it in again: it
  // takes up to twice as long, by chance of the heap.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

std::string description() {
  std::string version = openblas_get_config();  // "OpenBLAS 0.3.21 NO_LAPACKE ..."
  version.resize(version.find(' ', version.find(' ') + 1));
  return "libtorch " TORCH_VERSION "; both: 1 thread, " + version + " for " +
         openblas_get_corename() + " in " + blas();
}

}  // namespace torch_side
