// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/data/files/state.hpp"

#include <bit>
#include <span>
#include <unordered_set>

#include "ebb/autodiff/values/error.hpp"

namespace ebb::inline v0::data::detail {
namespace {

/// Texts one after another, each behind its length.
std::string packed(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += std::to_string(text.size()) + ':' + text;
  return all;
}
/// False if that is not what `packed` makes.
bool unpack(const std::string& all, std::vector<std::string>& texts) {
  texts.clear();
  for (std::size_t at = 0; at < all.size();) {
    std::size_t size = 0, digits = 0;
    while (at < all.size() && all[at] >= '0' && all[at] <= '9' && ++digits < 12)
      size = size * 10 + std::size_t(all[at++] - '0');
    if (digits == 0 || at >= all.size() || all[at++] != ':' || all.size() - at < size) return false;
    texts.push_back(all.substr(at, size));
    at += size;
  }
  return true;
}

Array<double> array_of(const std::vector<double>& list) {
  return Array<double>(Shape{std::int64_t(list.size())}, std::span<const double>(list));
}
std::vector<double> list_of(const Array<double>& array) { return {array.begin(), array.end()}; }

/// Collects the state of what it visits.
class Writer : public ebb::Parts {
 public:
  NamedArrays state;

 protected:
  void part(const std::string& path, Part part) override {
    std::visit([&](auto* thing) { write(path, *thing); }, part);
  }
  void value(const std::string& path, Value value) override {
    std::visit([&](auto* thing) { write(path, *thing); }, value);
  }

 private:
  template <class T>
  void write(const std::string& path, Variable<T>& variable) {
    state.add(path, variable.value());
  }
  template <class T>
  void write(const std::string& path, Array<T>& array) {
    if (array.empty()) throw ArgumentError("snapshot: \"" + path + "\" is an empty array handle");
    state.add(path, array);
  }
  void write(const std::string& path, Stream& stream) {
    state.add(path, Array<std::int64_t>::of({std::bit_cast<std::int64_t>(stream.key()),
                                             std::bit_cast<std::int64_t>(stream.position())}));
  }
  void write(const std::string& path, Mode& mode) {
    state.add(path, Array<bool>(mode == Mode::training));
  }
  void write(const std::string& path, bool& x) { state.add(path, Array<bool>(x)); }
  void write(const std::string& path, std::int64_t& x) { state.add(path, Array<std::int64_t>(x)); }
  void write(const std::string& path, std::uint64_t& x) {
    state.add(path, Array<std::int64_t>(std::bit_cast<std::int64_t>(x)));
  }
  void write(const std::string& path, double& x) { state.add(path, Array<double>(x)); }
  void write(const std::string& path, std::vector<std::int64_t>& x) {
    state.add(path, Array<std::int64_t>(Shape{std::int64_t(x.size())}, x));
  }
  void write(const std::string& path, std::vector<double>& x) { state.add(path, array_of(x)); }
  void write(const std::string& path, std::vector<std::vector<double>>& x) {
    std::vector<double> all, sizes;
    for (const auto& list : x) {
      all.insert(all.end(), list.begin(), list.end());
      sizes.push_back(double(list.size()));
    }
    state.add(path, array_of(all));
    state.add(path + ".sizes", array_of(sizes));
  }
  void write_text(const std::string& path, const std::string& text) {
    if (!state.metadata.emplace(path, text).second)
      throw ArgumentError("snapshot: two parts are named \"" + path + '"');
  }
  void write(const std::string& path, std::string& x) { write_text(path, x); }
  void write(const std::string& path, std::vector<std::string>& x) { write_text(path, packed(x)); }
  void write(const std::string& path, std::vector<std::vector<std::string>>& x) {
    std::vector<std::string> lists;
    for (const auto& list : x) lists.push_back(packed(list));
    write_text(path, packed(lists));
  }
};

/// Compares the state of a file with what it visits, or gives it.
class Reader : public ebb::Parts {
 public:
  /// Gives nothing if `holder` is the word for where the state is, and not empty.
  explicit Reader(const NamedArrays& state, const std::string& holder = {})
      : state_(state), holder_(holder), gives_(holder.empty()) {}

  /// One line for each that is missing, too much, or other than expected.
  std::vector<std::string> differences() {
    for (const std::string& name : state_.names()) {
      if (!seen_.contains(name))
        differences_.push_back("\"" + name + "\" is in " + holder_ + " alone");
    }
    for (const auto& [name, text] : state_.metadata) {
      if (name != "format" && !seen_.contains(name))
        differences_.push_back("\"" + name + "\" is in " + holder_ + " alone");
    }
    return differences_;
  }

 protected:
  void part(const std::string& path, Part part) override {
    std::visit([&](auto* thing) { read(path, *thing); }, part);
  }
  void value(const std::string& path, Value value) override {
    std::visit([&](auto* thing) { read(path, *thing); }, value);
  }

 private:
  /// The array of the file, if it has the type and the shape.
  template <class T>
  const Array<T>* find(const std::string& path, const Shape* shape) {
    seen_.insert(path);
    if (!state_.contains(path)) {
      differences_.push_back("\"" + path + "\" is missing in " + holder_);
      return nullptr;
    }
    const auto* array = std::get_if<Array<T>>(&state_.at(path));
    if (!array) {
      differences_.push_back("\"" + path + "\" has another element type in " + holder_);
    } else if (shape && !(array->shape() == *shape)) {
      differences_.push_back("\"" + path + "\" has shape " + to_string(array->shape()) + " in " +
                             holder_ + ", " + to_string(*shape) + " here");
    } else {
      return array;
    }
    return nullptr;
  }
  const std::string* find_text(const std::string& path) {
    seen_.insert(path);
    const auto text = state_.metadata.find(path);
    if (text != state_.metadata.end()) return &text->second;
    differences_.push_back("\"" + path + "\" is missing in " + holder_);
    return nullptr;
  }
  void broken(const std::string& path) {
    differences_.push_back("\"" + path + "\" is broken in " + holder_);
  }

  template <class T>
  void read(const std::string& path, Variable<T>& variable) {
    const Shape shape = variable.shape();
    if (const auto* array = find<T>(path, &shape); array && gives_) variable.set_value(*array);
  }
  template <class T>
  void read(const std::string& path, Array<T>& array) {
    const Shape shape = array.shape();
    if (const auto* found = find<T>(path, &shape); found && gives_) array = *found;
  }
  void read(const std::string& path, Stream& stream) {
    const Shape two{2};
    if (const auto* found = find<std::int64_t>(path, &two); found && gives_) {
      stream = Stream(std::bit_cast<std::uint64_t>((*found)[0]),
                      std::bit_cast<std::uint64_t>((*found)[1]));
    }
  }
  template <class T, class X>
  void read_number(const std::string& path, X& x) {
    const Shape one;
    if (const auto* found = find<T>(path, &one); found && gives_) {
      if constexpr (sizeof(X) == sizeof(T)) {
        x = std::bit_cast<X>((*found)[0]);
      } else {
        x = X((*found)[0]);
      }
    }
  }
  void read(const std::string& path, Mode& mode) {
    bool is_training = mode == Mode::training;
    read_number<bool>(path, is_training);
    if (gives_) mode = is_training ? Mode::training : Mode::evaluation;
  }
  void read(const std::string& path, bool& x) { read_number<bool>(path, x); }
  void read(const std::string& path, std::int64_t& x) { read_number<std::int64_t>(path, x); }
  void read(const std::string& path, std::uint64_t& x) { read_number<std::int64_t>(path, x); }
  void read(const std::string& path, double& x) { read_number<double>(path, x); }
  void read(const std::string& path, std::vector<std::int64_t>& x) {
    if (const auto* found = find<std::int64_t>(path, nullptr); found && gives_)
      x.assign(found->begin(), found->end());
  }
  void read(const std::string& path, std::vector<double>& x) {
    if (const auto* found = find<double>(path, nullptr); found && gives_) x = list_of(*found);
  }
  void read(const std::string& path, std::vector<std::vector<double>>& x) {
    const auto* all = find<double>(path, nullptr);
    const auto* sizes = find<double>(path + ".sizes", nullptr);
    if (!all || !sizes) return;
    std::vector<std::vector<double>> lists;
    std::int64_t at = 0;
    for (const double size : *sizes) {
      if (!(size >= 0 && size <= double(all->size() - at))) return broken(path);
      lists.emplace_back(all->begin() + at, all->begin() + at + std::int64_t(size));
      at += std::int64_t(size);
    }
    if (gives_) x = std::move(lists);
  }
  void read(const std::string& path, std::string& x) {
    if (const auto* text = find_text(path); text && gives_) x = *text;
  }
  void read(const std::string& path, std::vector<std::string>& x) {
    const auto* text = find_text(path);
    std::vector<std::string> list;
    if (!text) return;
    if (!unpack(*text, list)) return broken(path);
    if (gives_) x = std::move(list);
  }
  void read(const std::string& path, std::vector<std::vector<std::string>>& x) {
    const auto* text = find_text(path);
    std::vector<std::string> packed_lists;
    if (!text) return;
    if (!unpack(*text, packed_lists)) return broken(path);
    std::vector<std::vector<std::string>> lists(packed_lists.size());
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (!unpack(packed_lists[i], lists[i])) return broken(path);
    }
    if (gives_) x = std::move(lists);
  }

  const NamedArrays& state_;
  std::string holder_;
  bool gives_;
  std::unordered_set<std::string> seen_;
  std::vector<std::string> differences_;
};

}  // namespace

NamedArrays state_of(const std::vector<StatePart>& parts) {
  Writer writer;
  for (const StatePart& part : parts) part.each(writer);
  return std::move(writer.state);
}

std::vector<std::string> differences(const NamedArrays& state, const std::vector<StatePart>& parts,
                                     const std::string& holder) {
  Reader compare(state, holder);
  for (const StatePart& part : parts) part.each(compare);
  return compare.differences();
}

void give_state(const NamedArrays& state, const std::vector<StatePart>& parts) {
  Reader reader(state);
  for (const StatePart& part : parts) part.each(reader);
}

}  // namespace ebb::inline v0::data::detail
