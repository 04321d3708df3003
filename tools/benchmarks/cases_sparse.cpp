// SPDX-License-Identifier: BSD-3-Clause
// Sparse rows in the shapes of two data sets of LIBSVM: those of a9a, with few columns and ones
// only, and those of rcv1, with many columns of which a few are frequent.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "arrays.hpp"
#include "ebb/autodiff/operations/losses.hpp"
#include "ebb/autodiff/ops.hpp"
#include "ebb/autodiff/tape.hpp"
#include "ebb/autodiff/values/random.hpp"
#include "ebb/data/batches/loader.hpp"
#include "ebb/data/sets/sparse_dataset.hpp"
#include "ebb/nn/layers/linear.hpp"
#include "ebb/optim/optimizer.hpp"
#include "limits/limits.hpp"

namespace bench {
namespace {

struct Form {
  const char* name;
  std::int64_t rows, columns, elements;
  bool is_ones;
};
constexpr Form a9a{"a9a", 32561, 123, 14, true}, rcv1{"rcv1", 20242, 47236, 74, false};

/// Made-up rows of such a form: the columns of a9a are one of each of 14 groups, and those of rcv1
/// are distributed by a power.
struct Made {
  explicit Made(const Form& form, std::int64_t count) {
    ebb::Stream stream(7);
    const std::int64_t n = form.rows, d = form.columns;
    offsets = {0};
    for (std::int64_t i = 0; i < n; ++i) {
      std::vector<std::int64_t> row;
      for (std::int64_t k = 0; k < form.elements; ++k) {
        const double u = double(stream.next()) / 4294967296.0;
        row.push_back(form.is_ones ? (k * d + std::int64_t(u * double(d))) / form.elements
                                   : std::int64_t(std::pow(u, 3) * double(d)));
      }
      std::sort(row.begin(), row.end());
      row.erase(std::unique(row.begin(), row.end()), row.end());
      for (const std::int64_t j : row) {
        indices.push_back(j);
        narrow.push_back(std::int32_t(j));
        values.push_back(form.is_ones ? 1 : float(stream.next() % 1000) / 4000 + 0.01f);
      }
      offsets.push_back(std::int64_t(indices.size()));
    }
    narrow.resize(narrow.size() + 16);
    values.resize(values.size() + 16);
    const auto array = [](const auto& list, std::size_t size) {
      return ebb::Array<typename std::remove_cvref_t<decltype(list)>::value_type>(
          {std::int64_t(size)}, std::span(list).first(size));
    };
    x = ebb::SparseRows<float>(d, array(offsets, offsets.size()), array(indices, indices.size()),
                               array(values, indices.size()));
    labels.resize(std::size_t(n));
    for (float& label : labels) label = float(stream.next() & 1);
    outputs = count;
    weight.resize(std::size_t(d * count + 16));
    for (float& e : weight) e = float(stream.next() % 1000) / 1000 - 0.5f;
    bias.resize(std::size_t(count + 16), 0.25f);
    y.resize(std::size_t(n * count + 16));
    g.resize(std::size_t(n * count + 16));
    for (float& e : g) e = float(stream.next() % 1000) / 1000 - 0.5f;
    gradient.resize(weight.size());
    w.emplace(ebb::Array<float>({count, d}, std::span(weight).first(std::size_t(count * d))));
    b.emplace(ebb::Array<float>({count}, std::span(bias).first(std::size_t(count))));
    seed = ebb::Array<float>({n, count}, std::span(g).first(std::size_t(n * count)));
  }
  limits::SparseRows limit() const {
    return {offsets.data(), narrow.data(), values.data(), x.rows(), x.columns()};
  }

  std::vector<std::int64_t> offsets, indices;
  std::vector<std::int32_t> narrow;
  std::vector<float> values, labels, weight, bias, y, g, gradient;
  std::int64_t outputs = 1;
  ebb::SparseRows<float> x;
  std::optional<ebb::Variable<float>> w, b;
  ebb::Array<float> seed;
};

// Counts the product of all rows.
Sides forward(const Form& form, std::int64_t outputs) {
  auto d = std::make_shared<Made>(form, outputs);
  return {[d] { keep(linear(d->x, d->w->value(), d->b->value())); },
          [d] {
            if (d->outputs == 1) {
              limits::sparse_forward(d->limit(), d->weight.data(), d->bias[0], d->y.data());
            } else {
              limits::sparse_forward(d->limit(), d->weight.data(), d->bias.data(), d->outputs,
                                     d->y.data());
            }
          }};
}

// Counts the product, which is recorded, the sweep from a dense seed into two absent gradients, and
// their release. The limit has the gradient of the weight alone.
Sides both(const Form& form, std::int64_t outputs) {
  auto d = std::make_shared<Made>(form, outputs);
  return {[d] {
            {
              ebb::Tape tape;
              const auto y = linear(d->x, *d->w, *d->b);
              backward(ebb::SweepStart(y, d->seed));
            }
            keep(d->w->gradient());
            d->w->zero_grad();
            d->b->zero_grad();
          },
          [d] {
            if (d->outputs == 1) {
              limits::sparse_forward(d->limit(), d->weight.data(), d->bias[0], d->y.data());
              limits::sparse_backward(d->limit(), d->g.data(), d->gradient.data());
            } else {
              limits::sparse_forward(d->limit(), d->weight.data(), d->bias.data(), d->outputs,
                                     d->y.data());
              limits::sparse_backward(d->limit(), d->g.data(), d->outputs, d->gradient.data());
            }
          }};
}

// Counts a shuffled epoch of logistic regression with its loss, in batches of 256 rows. The limit
// adds what its rows say to the weights, without a gradient between.
Sides epoch(const Form& form) {
  struct Epoch : Made {
    explicit Epoch(const Form& f)
        : Made(f, 1),
          loader(ebb::data::SparseDataset<float>(
                     x, ebb::Array<float>({x.rows(), 1}, std::span<const float>(labels))),
                 {.batch_size = 256, .seed = 1}),
          model(ebb::nn::Linear<float>::zeros(f.columns, 1)),
          optimizer(model, ebb::optim::SGD{.learning_rate = 0.1}),
          order(std::size_t(f.rows)),
          start(std::size_t(f.columns + 16)),
          room(256 + 16) {
      std::iota(order.begin(), order.end(), std::int64_t(0));
    }
    ebb::data::Loader<ebb::data::SparseDataset<float>> loader;
    ebb::nn::Linear<float> model;
    ebb::optim::Optimizer<ebb::optim::SGD> optimizer;
    std::vector<std::int64_t> order;
    std::vector<float> start, room;
    float constant = 0;
    std::uint64_t state = 1;
  };
  auto e = std::make_shared<Epoch>(form);
  return {[e] {
            double total = 0;
            for (const auto& [rows, targets] : e->loader) {
              ebb::Tape tape;
              const auto loss = bce_with_logits(e->model(rows), targets);
              total += double(loss.item());
              backward(loss);
              e->optimizer.step();
              e->optimizer.zero_grad();
            }
            keep(total);
          },
          [e] {
            keep(limits::sparse_epoch(e->limit(), e->labels.data(), e->state, e->order.data(),
                                      e->start.data(), &e->constant, 0.1f, e->room.data()));
          }};
}

}  // namespace

void add_sparse(std::vector<Case>& cases) {
  const auto add = [&](const std::string& name, std::function<Sides()> prepare) {
    cases.push_back(versus("sparse/" + name + "/f32", "us", 1.5, std::move(prepare)));
  };
  for (const Form* form : {&a9a, &rcv1}) {
    for (const std::int64_t outputs : {1, 10}) {
      const std::string size = std::string("/") + form->name + "x" + std::to_string(outputs);
      add("linear_forward" + size, [=] { return forward(*form, outputs); });
      add("linear_backward" + size, [=] { return both(*form, outputs); });
    }
    add(std::string("logistic_epoch/") + form->name, [=] { return epoch(*form); });
  }
}

}  // namespace bench
