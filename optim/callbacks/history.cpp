// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/optim/callbacks/history.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <sstream>

#include "ebb/data/files/atomic_file.hpp"

namespace ebb::inline v0::optim {
namespace {

struct Column {
  std::string name;
  double value;
};

std::vector<Column> columns(const EpochRecord& e, const std::vector<std::string>& metrics) {
  std::vector<Column> list = {{"epoch", double(e.epoch)},
                              {"steps", double(e.steps)},
                              {"loss", e.loss},
                              {"validation", e.validation}};
  for (std::size_t i = 0; i < metrics.size(); ++i) list.push_back({metrics[i], e.metrics[i]});
  list.push_back({"gradient_norm", e.gradient_norm});
  list.push_back({"clipped_norm", e.clipped_norm});
  list.push_back({"update_ratio", e.update_ratio});
  list.push_back({"learning_rate", e.learning_rate});
  list.push_back({"seconds", e.seconds});
  return list;
}

void write(const std::string& path, const std::string& text) {
  data::detail::AtomicFile file(path);
  file.write(text);
  file.commit();
}

/// As few digits as give the number back.
std::string digits(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

std::string quoted(const std::string& name, char escape) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"' || (c == '\\' && escape == '\\')) text += escape;
    text += c;
  }
  return text + '"';
}

}  // namespace

std::string to_string(Ending ending) {
  switch (ending) {
    case Ending::epochs:
      return "all epochs are done";
    case Ending::steps:
      return "all steps are done";
    case Ending::callback:
      return "a callback wanted no more";
    case Ending::time:
      return "as much time as was allowed";
    case Ending::not_finite:
      return "the loss or a gradient is not finite";
    case Ending::interrupted:
      return "interrupted";
  }
  return "unknown";
}
std::ostream& operator<<(std::ostream& out, Ending ending) { return out << to_string(ending); }

void detail::OpenEpoch::each(Fields& field) {
  field("epoch", epoch);
  field("batches", batches);
  field("steps", steps);
  field("rows", rows);
  field("loss", loss);
  field("gradient_norm", gradient_norm);
  field("clipped_norm", clipped_norm);
  field("update_ratio", update_ratio);
  field("seconds", seconds);
}

void History::each(Fields& field) {
  constexpr std::size_t plain = 10;  // numbers of an epoch beside the metrics
  std::vector<std::vector<double>> rows;
  for (const EpochRecord& e : epochs) {
    std::vector<double> row = {
        double(e.epoch), double(e.steps), e.loss,         double(e.has_validation), e.validation,
        e.gradient_norm, e.clipped_norm,  e.update_ratio, e.learning_rate,          e.seconds};
    row.insert(row.end(), e.metrics.begin(), e.metrics.end());
    rows.push_back(std::move(row));
  }
  field("metrics", metrics);
  field("epochs", rows);
  field.choice("ending", ending,
               {"epochs", "steps", "callback", "time", "not_finite", "interrupted"});
  field("diagnosis", diagnosis);
  field("open", open);
  std::vector<EpochRecord> read;
  for (const std::vector<double>& row : rows) {
    field.refuse_unless(row.size() == plain + metrics.size(),
                        "an epoch of the history has " + std::to_string(row.size()) +
                            " numbers, not " + std::to_string(plain + metrics.size()));
    read.push_back({std::int64_t(row[0]),
                    std::int64_t(row[1]),
                    row[2],
                    row[3] != 0,
                    row[4],
                    {row.begin() + plain, row.end()},
                    row[5],
                    row[6],
                    row[7],
                    row[8],
                    row[9]});
  }
  epochs = std::move(read);
}

void History::write_csv(const std::string& path) const {
  std::ostringstream text;
  const auto line = [&](const EpochRecord& e, const auto& cell) {
    bool is_first = true;
    for (const Column& column : columns(e, metrics)) {
      if (!is_first) text << ',';
      is_first = false;
      cell(column);
    }
    text << '\n';
  };
  EpochRecord none;
  none.metrics.resize(metrics.size());
  line(none, [&](const Column& column) {
    text << (column.name.find_first_of(",\"\n") == std::string::npos ? column.name
                                                                     : quoted(column.name, '"'));
  });
  for (const EpochRecord& e : epochs) {
    line(e, [&](const Column& column) {
      if (!std::isnan(column.value)) text << digits(column.value);
    });
  }
  write(path, text.str());
}

void History::write_json_lines(const std::string& path) const {
  std::ostringstream text;
  for (const EpochRecord& e : epochs) {
    bool is_first = true;
    text << '{';
    for (const Column& column : columns(e, metrics)) {
      if (!is_first) text << ", ";
      is_first = false;
      text << quoted(column.name, '\\') << ": ";
      // JSON has no infinity: what is not finite is null.
      text << (std::isfinite(column.value) ? digits(column.value) : "null");
    }
    text << "}\n";
  }
  write(path, text.str());
}

std::ostream& operator<<(std::ostream& out, const History& history) {
  char cell[64];
  const auto print = [&](const char* format, auto value) {
    std::snprintf(cell, sizeof cell, format, value);
    out << cell;
  };
  if (history.epochs.empty()) return out << "no epoch; " << history.ending << "\n";
  const auto names = columns(history.epochs[0], history.metrics);
  for (const Column& column : names)
    print(column.name == "epoch" ? "%6s" : " %13s", column.name.c_str());
  out << '\n';
  for (const EpochRecord& e : history.epochs) {
    for (const Column& column : columns(e, history.metrics)) {
      if (column.name == "epoch") {
        print("%6.0f", column.value);
      } else if (std::isnan(column.value)) {
        print(" %13s", "");
      } else {
        print(column.name == "steps" ? " %13.0f" : " %13.6g", column.value);
      }
    }
    out << '\n';
  }
  out << "ended: " << history.ending << '\n';
  if (!history.diagnosis.empty()) out << history.diagnosis << '\n';
  if (!history.how_to_resume.empty()) out << history.how_to_resume << '\n';
  return out;
}

}  // namespace ebb::inline v0::optim
