// SPDX-License-Identifier: BSD-3-Clause
// A prediction service: one program trains a network and saves it, another one loads the file and
// answers requests, line by line. What it cannot answer it refuses, with the reason, and goes on;
// where the requests are no longer like the training rows, it raises an alarm.
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "ebb/ebb.hpp"
#include "ebb/examples/example.hpp"

using namespace ebb;
using Table = data::Table<double>;

namespace {

/// The first program: a model file, with all that the second one needs. Returns the accuracy on
/// rows that were held out.
double train_and_save(const std::string& path, const Table& table, std::uint64_t seed) {
  const auto [train, validation, test] = data::split(
      table, data::split_stratified(table.labels("benign"), {.test = 0.25, .seed = seed}));
  nn::TableModel model{nn::MLPClassifier({.hidden = {16},
                                          .l2 = 1e-3,
                                          .batch_size = 32,
                                          .learning_rate = 1e-2,
                                          .early_stopping = true,
                                          .seed = seed})};
  model.fit(train, "benign");
  const double accuracy = model.score(test);
  nn::save_model(path, model, train, {.seed = seed, .metrics = {{"accuracy", accuracy}}});
  return accuracy;
}

/// The row of a request such as "mean_radius=14.2,mean_texture=19.1", in any order. What it leaves
/// out is missing. @throws ArgumentError for a name that the model does not know, and for a value
/// that is no number where it takes one.
std::vector<double> row_of(const nn::Predictor& predictor, const std::string& request) {
  std::vector<double> row(predictor.features().size(), std::nan(""));
  std::istringstream parts(request);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = part.substr(0, equals);
    const std::string value = part.substr(std::min(equals + 1, part.size()));
    const std::size_t at = predictor.position(name);
    if (predictor.features()[at].kind == data::Kind::categorical) {
      row[at] = predictor.code(name, value);
      continue;
    }
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, row[at]);
    if (error != std::errc() || stop != end)
      throw ArgumentError("the value \"" + value + "\" of " + name + " is no number");
  }
  return row;
}

/// What a service has done.
struct Tally {
  std::int64_t answered = 0, refused = 0;
  std::vector<std::int64_t> alarms = {};  ///< the requests after which there was one
};

/// The second program's loop: an answer for each line, until the input ends.
Tally serve(nn::Predictor& predictor, std::istream& requests, std::ostream& answers) {
  Tally tally;
  std::vector<double> probabilities(predictor.model().class_names.size());
  for (std::string request; std::getline(requests, request);) {
    try {
      const std::vector<double> row = row_of(predictor, request);
      predictor.predict_proba(row, probabilities);
      answers << "benign with probability " << probabilities[1] << '\n';
      ++tally.answered;
    } catch (const Error& error) {
      answers << "refused: " << error.what() << '\n';
      ++tally.refused;
    }
    // Looking at all histograms takes longer than a prediction.
    if (predictor.rows() < 500) continue;
    if (const nn::DriftReport drift = predictor.drift(); drift.alarm()) {
      tally.alarms.push_back(tally.answered + tally.refused);
      answers << "ALARM\n" << drift;
    }
    predictor.reset();
  }
  return tally;
}

/// Requests with the values of random rows, the radii `scale` times as large; every hundredth one
/// is wrong.
std::string make_requests(const Table& table, int count, double scale, Stream& stream) {
  const std::vector<std::string> names = table.drop({"benign"}).names();
  const Array<double> values = table.select(names).values();
  std::ostringstream lines;
  for (int i = 0; i < count; ++i) {
    const auto row = std::int64_t(stream.uniform() * double(table.rows()));
    for (std::size_t j = 0; j < names.size(); ++j) {
      const double value = values[row * std::int64_t(names.size()) + std::int64_t(j)];
      lines << (j ? "," : "") << names[j] << '=' << value * (names[j] == "mean_radius" ? scale : 1);
    }
    if (i % 400 == 99) lines << ",mean_texture=rough";
    if (i % 400 == 199) lines << ",weight=80";
    if (i % 400 == 299) lines << ",mean_radius=inf";
    if (i % 400 == 399) lines << ",mean_texture=nan";
    lines << '\n';
  }
  return lines.str();
}

void run(const example::Options& options) {
  const Table table =
      data::read_csv<double>(options.data + "/breast_cancer.csv")
          .select({"mean_radius", "mean_texture", "mean_smoothness", "mean_symmetry", "benign"});
  const std::string path = std::filesystem::temp_directory_path() /
                           ("ebb_service_" + std::to_string(getpid()) + ".safetensors");
  const double accuracy = train_and_save(path, table, options.seed);

  nn::Predictor predictor(path, {.missing = nn::Policy::error});
  std::filesystem::remove(path);
  Stream stream(options.seed + 1);
  std::istringstream requests(make_requests(table, 3000, 1, stream) +
                              make_requests(table, 1000, 1.15, stream));
  std::ostringstream answers;
  const Tally tally = serve(predictor, requests, answers);

  // The first answers and refusals, and the alarm.
  std::istringstream lines(answers.str());
  int shown = 0, refused = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_answer = line.starts_with("benign"), is_refusal = line.starts_with("refused");
    if ((is_answer && shown++ >= 3) || (is_refusal && refused++ >= 4)) continue;
    std::cout << line << '\n';
  }
  std::cout << "\naccuracy " << accuracy << "\nanswered " << tally.answered << "\nrefused "
            << tally.refused << "\nalarms " << tally.alarms.size() << "\nfirst_alarm "
            << (tally.alarms.empty() ? 0 : tally.alarms[0]) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  example::Options options;
  CLI::App app("A service that predicts from a model file, refuses bad requests, and sees drift");
  app.add_option("--seed", options.seed, "Seed of everything that is random")
      ->capture_default_str();
  app.add_option("--data", options.data, "The folder with the CSV files")->capture_default_str();
  return example::parse_and_run(app, argc, argv, [&] { run(options); });
}
