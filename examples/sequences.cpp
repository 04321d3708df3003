// SPDX-License-Identifier: BSD-3-Clause
// Sequences: an LSTM, a GRU and a plain recurrent network remember two numbers (Hochreiter and
// Schmidhuber 1997, the adding problem), and a small Transformer learns to repeat what it has read.
#include <vector>

#include "ebb/ebb.hpp"
#include "ebb/examples/pictures.hpp"

using namespace ebb;

namespace {

/// Sequences (n, steps, 2) of numbers from 0 to 1 and marks, two of which are 1; and the sums (n,
/// 1) of the two marked numbers.
struct Sums {
  Array<float> x, y;
};

Sums draw_sums(std::int64_t rows, std::int64_t steps, Stream& stream) {
  auto x = Array<float>::zeros({rows, steps, 2});
  auto y = Array<float>::zeros({rows, 1});
  float* const to = x.mutate();
  float* const sum = y.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    float* const row = to + i * steps * 2;
    for (std::int64_t t = 0; t < steps; ++t) row[2 * t] = float(stream.uniform());
    const auto half = std::uint64_t(steps / 2);
    for (const std::uint64_t at : {stream.below(half), half + stream.below(half)}) {
      row[2 * at + 1] = 1;
      sum[i] += row[2 * at];
    }
  }
  return {x, y};
}

/// The loss on new sequences after each 50 steps.
template <class Model>
std::vector<double> train_sums(Model&& model, std::uint64_t seed) {
  constexpr std::int64_t steps = 30;
  Stream stream(seed + 1);
  const Sums test = draw_sums(500, steps, stream);
  optim::Optimizer optimizer(model, optim::Adam{.learning_rate = 5e-3});
  std::vector<double> losses;
  for (int step = 0; step <= 500; ++step) {
    if (step % 50 == 0) losses.push_back(mse_loss(model(test.x), test.y).item());
    const Sums batch = draw_sums(64, steps, stream);
    Tape tape;
    backward(mse_loss(model(batch.x), batch.y));
    optimizer.step(optim::clip_norm(optimizer, 1));
    optimizer.zero_grad();
  }
  return losses;
}

void remember(const std::string& pictures, std::uint64_t seed) {
  default_stream() = Stream(seed);
  const nn::RecurrentSettings settings{.input_size = 2, .hidden_size = 32};
  const auto lstm = train_sums(
      nn::Sequential{nn::LastState(nn::LSTM<float>(settings)), nn::Linear<float>(32, 1)}, seed);
  const auto gru = train_sums(
      nn::Sequential{nn::LastState(nn::GRU<float>(settings)), nn::Linear<float>(32, 1)}, seed);
  const auto plain =
      train_sums(nn::Sequential{nn::LastState(nn::RNN<float>({.input_size = 2, .hidden_size = 32})),
                                nn::Linear<float>(32, 1)},
                 seed);
  std::printf("Squared error of the sum of two numbers in 30 steps; that of always 1 is 0.167\n");
  std::printf("%6s %10s %10s %10s\n", "step", "LSTM", "GRU", "plain");
  plot::Figure figure{.title = "The sum of two numbers in a sequence of 30",
                      .x = {.label = "step"},
                      .y = {.label = "squared error", .scale = plot::Scale::log10}};
  std::vector<double> at;
  for (std::size_t i = 0; i < lstm.size(); ++i) {
    at.push_back(50 * double(i));
    std::printf("%6.0f %10.4g %10.4g %10.4g\n", at.back(), lstm[i], gru[i], plain[i]);
  }
  figure.curves = {{.name = "LSTM", .x = at, .y = lstm},
                   {.name = "GRU", .x = at, .y = gru},
                   {.name = "plain", .x = at, .y = plain}};
  example::draw(pictures, "sequences_memory.svg", figure);
  std::printf("\nlstm_error %.4g\ngru_error %.4g\nplain_error %.4g\n\n", lstm.back(), gru.back(),
              plain.back());
}

constexpr std::int64_t letters = 8, length = 10;

/// Says the next letter of a text (n, t): logits (n, t, letters + 1).
struct Writer {
  nn::Embedding<float> letter{{.num_embeddings = letters + 1, .embedding_dim = 32}};
  nn::LearnedEncoding<float> position{{.max_length = 2 * length, .features = 32}};
  nn::TransformerEncoder<float> blocks{
      {.d_model = 32, .nhead = 4, .dim_feedforward = 64, .dropout = 0, .norm_first = true}, 2};
  nn::LayerNorm<float> norm{32};
  nn::Linear<float> out{32, letters + 1};

  Tensor<float> operator()(const Array<std::int64_t>& text) {
    return out(norm(blocks(position(letter(text)), {.causal = true})));
  }
  void each(Parts& part) {
    part("letter", letter);
    part("position", position);
    part("blocks", blocks);
    part("norm", norm);
    part("out", out);
  }
};

/// Random letters, a mark, and the letters again: (n, 2 length + 1).
Array<std::int64_t> draw_texts(std::int64_t rows, Stream& stream) {
  auto texts = Array<std::int64_t>::zeros({rows, 2 * length + 1});
  std::int64_t* const to = texts.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t* const row = to + i * (2 * length + 1);
    for (std::int64_t t = 0; t < length; ++t)
      row[t] = row[length + 1 + t] = std::int64_t(stream.below(letters));
    row[length] = letters;
  }
  return texts;
}

/// The columns [begin, end) of whole numbers (n, t).
Array<std::int64_t> columns(const Array<std::int64_t>& x, std::int64_t begin, std::int64_t end) {
  const std::int64_t rows = x.shape()[0], width = x.shape()[1];
  auto part = Array<std::int64_t>::zeros({rows, end - begin});
  std::int64_t* const to = part.mutate();
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t t = begin; t < end; ++t)
      to[i * (end - begin) + t - begin] = x.begin()[i * width + t];
  }
  return part;
}

/// The part of the repeated letters that are right when the model writes them one by one.
double repeated_right(Writer& model, Stream& stream) {
  const auto texts = draw_texts(100, stream);
  auto written = columns(texts, 0, length + 1);
  for (std::int64_t t = 0; t < length; ++t) {
    const auto logits = model(written);
    const std::int64_t last = written.shape()[1] - 1;
    const auto next = argmax(slice(logits, 1, {last, last + 1}), 2);
    auto longer = Array<std::int64_t>::zeros({100, last + 2});
    std::int64_t* const to = longer.mutate();
    for (std::int64_t i = 0; i < 100; ++i) {
      for (std::int64_t k = 0; k <= last; ++k)
        to[i * (last + 2) + k] = written.begin()[i * (last + 1) + k];
      to[i * (last + 2) + last + 1] = next.begin()[i];
    }
    written = longer;
  }
  double right = 0;
  for (std::int64_t i = 0; i < texts.size(); ++i)
    right += double(written.begin()[i] == texts.begin()[i]);
  return (right - 100 * double(length + 1)) / double(100 * length);
}

void repeat_texts(const std::string& pictures, std::uint64_t seed) {
  default_stream() = Stream(seed);
  Stream stream(seed + 1);
  Writer model;
  optim::Optimizer optimizer(model, optim::AdamW{.learning_rate = 3e-3});
  std::vector<double> at, losses;
  for (int step = 0; step < 400; ++step) {
    const auto texts = draw_texts(64, stream);
    Tape tape;
    const auto logits = model(columns(texts, 0, 2 * length));
    // Only the repeated letters can be known before they are read.
    const auto known = slice(logits, 1, {length, 2 * length});
    const auto loss =
        cross_entropy(reshape(known, {64 * length, letters + 1}),
                      columns(texts, length + 1, 2 * length + 1).reshape({64 * length}));
    if (step % 20 == 0) {
      at.push_back(step);
      losses.push_back(loss.item());
    }
    backward(loss);
    optimizer.step(optim::clip_norm(optimizer, 1));
    optimizer.zero_grad();
  }
  std::printf("A Transformer of %lld weights repeats texts of %lld letters\n",
              static_cast<long long>(count(model)), static_cast<long long>(length));
  example::draw(pictures, "sequences_texts.svg",
                plot::Figure{.title = "Repeating a text",
                             .x = {.label = "step"},
                             .y = {.label = "cross-entropy", .scale = plot::Scale::log10},
                             .curves = {{.name = "training", .x = at, .y = losses}}});
  nn::eval(model);
  const double right = repeated_right(model, stream);
  std::printf("\nfirst_loss %.4g\nlast_loss %.4g\nrepeated_right %.4f\n", losses.front(),
              losses.back(), right);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run_with_pictures(argc, argv, "Recurrent networks and a Transformer",
                                    [](const std::string& pictures, std::uint64_t seed) {
                                      remember(pictures, seed);
                                      repeat_texts(pictures, seed);
                                    });
}
