// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/nn/state.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "ebb/autodiff/values/access.hpp"
#include "ebb/autodiff/values/error.hpp"
#include "ebb/data/files/state.hpp"
#include "ebb/data/formats/safetensors.hpp"

namespace ebb::inline v0::nn {
namespace {

template <class T>
constexpr bool is_variable = false;
template <class T>
constexpr bool is_variable<Variable<T>> = true;
template <class T>
constexpr bool is_array = false;
template <class T>
constexpr bool is_array<Array<T>> = true;

/// Calls a function with the name and the part, for each Variable and Array.
template <class F>
class Walk : public Parts {
 public:
  explicit Walk(F f) : f_(std::move(f)) {}

 protected:
  void part(const std::string& path, Part part) override {
    std::visit(
        [&](auto* thing) {
          using Thing = std::remove_pointer_t<decltype(thing)>;
          if constexpr (is_variable<Thing> || is_array<Thing>) f_(path, *thing);
        },
        part);
  }
  void value(const std::string&, Value) override {}

 private:
  F f_;
};

template <class T>
const Array<T>& array_of(const Variable<T>& variable) {
  return variable.value();
}
template <class T>
const Array<T>& array_of(const Array<T>& array) {
  return array;
}

const Shape& shape_of(const data::AnyArray& array) {
  return std::visit([](const auto& a) -> const Shape& { return a.shape(); }, array);
}

/// Finds what differs, and gives what does not.
class Loading {
 public:
  Loading(const data::NamedArrays& arrays, bool gives) : arrays_(arrays), gives_(gives) {}

  StateDifferences run(ModelRef model) {
    Walk walk([&](const std::string& path, auto& thing) { load(path, thing); });
    model.each(walk);
    for (const std::string& name : arrays_.names())
      if (!seen_.contains(name)) differences_.unexpected.push_back(name);
    return std::move(differences_);
  }

 private:
  template <class Thing>
  void load(const std::string& path, Thing& thing) {
    using T = typename std::remove_cvref_t<decltype(array_of(thing))>::value_type;
    seen_.insert(path);
    if (!arrays_.contains(path)) return differences_.missing.push_back(path);
    const Shape shape = array_of(thing).shape();
    const Shape& found = shape_of(arrays_.at(path));
    if (!(found == shape)) {
      return differences_.unfit.push_back(path + " has shape " + to_string(found) + " instead of " +
                                          to_string(shape));
    }
    try {
      Array<T> values = arrays_.get<T>(path);
      if (!gives_) return;
      if constexpr (is_variable<Thing>) {
        thing.set_value(std::move(values));
      } else {
        thing = std::move(values);
      }
    } catch (const ArgumentError& error) {
      differences_.unfit.push_back(path + " cannot be converted: " + error.what());
    }
  }

  const data::NamedArrays& arrays_;
  bool gives_;
  std::unordered_set<std::string> seen_;
  StateDifferences differences_;
};

/// A line for each name, up to a limit.
void append(std::string& text, const std::vector<std::string>& names, const char* what) {
  constexpr std::size_t most = 20;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) text += "\n  " + names[i] + what;
  if (names.size() > most)
    text += "\n  and " + std::to_string(names.size() - most) + " more that" + what;
}

/// A text with a dot at its end behind which most of `longer` are most of `shorter`; "" if there is
/// none.
std::string prefix_of(const std::vector<std::string>& longer,
                      const std::vector<std::string>& shorter) {
  constexpr std::size_t most_tried = 4;  // of the shorter names, one of which the others may lack
  const std::unordered_set<std::string_view> known(shorter.begin(), shorter.end());
  for (std::size_t i = 0; i < std::min(most_tried, shorter.size()); ++i) {
    for (const std::string& candidate : longer) {
      if (!candidate.ends_with("." + shorter[i])) continue;
      const std::string prefix = candidate.substr(0, candidate.size() - shorter[i].size());
      const auto found = std::count_if(longer.begin(), longer.end(), [&](const std::string& name) {
        return name.starts_with(prefix) &&
               known.contains(std::string_view(name).substr(prefix.size()));
      });
      if (2 * std::size_t(found) > std::max(longer.size(), shorter.size())) return prefix;
    }
  }
  return {};
}

/// The arrays without a prefix of their names; those that lack it stay as they are.
template <class E>
data::NamedArrays without_prefix(const data::NamedArrays& arrays, const std::string& prefix,
                                 const std::string& source) {
  data::NamedArrays renamed;
  bool has_any = false;
  for (const std::string& name : arrays.names()) {
    const bool has = name.starts_with(prefix);
    has_any |= has;
    renamed.add(has ? name.substr(prefix.size()) : name, arrays.at(name));
  }
  if (!has_any) throw E(source + " have no name that begins with \"" + prefix + '"');
  return renamed;
}

}  // namespace

std::vector<Buffer> buffers(ModelRef model) {
  std::vector<Buffer> found;
  Walk walk([&](const std::string& path, auto& thing) {
    if constexpr (is_array<std::remove_cvref_t<decltype(thing)>>) found.push_back({path, &thing});
  });
  model.each(walk);
  return found;
}

data::NamedArrays state(ConstModelRef model) {
  data::NamedArrays all;
  Walk walk([&](const std::string& path, const auto& thing) { all.add(path, array_of(thing)); });
  model.each(walk);
  return all;
}

std::string StateDifferences::text() const {
  std::string text;
  append(text, missing, " is missing");
  append(text, unexpected, " is not in the model");
  append(text, unfit, "");
  if (const std::string prefix = prefix_of(unexpected, missing); !prefix.empty()) {
    text += "\n  the names of the arrays begin with \"" + prefix +
            "\", and those of the model do not: load them with {.prefix = \"" + prefix + "\"}";
  } else if (const std::string lacks = prefix_of(missing, unexpected); !lacks.empty()) {
    text += "\n  the names of the model begin with \"" + lacks +
            "\", and those of the arrays do not: load them into its part " +
            lacks.substr(0, lacks.size() - 1);
  }
  return text.empty() ? text : text.substr(1);
}
std::ostream& operator<<(std::ostream& out, const StateDifferences& differences) {
  return out << differences.text();
}

namespace {

/// Loads arrays if they are accepted. Errors have the type and start that fit the source.
template <class E>
StateDifferences load_from(const data::NamedArrays& all, ModelRef model, const LoadOptions& options,
                           const std::string& source) {
  const data::NamedArrays arrays =
      options.prefix.empty() ? all : without_prefix<E>(all, options.prefix, source);
  StateDifferences differences = Loading(arrays, false).run(model);
  if (options.strict && !differences.empty()) {
    throw E(source + " differ from the model, and nothing was loaded:\n" + differences.text());
  }
  Loading(arrays, true).run(model);
  ebb::detail::label(ebb::parameters(model));
  return differences;
}

}  // namespace

StateDifferences load_state(ModelRef model, const data::NamedArrays& arrays, LoadOptions options) {
  return load_from<ArgumentError>(arrays, model, options, "load_state: the arrays");
}

void save(const std::string& path, ConstModelRef model) {
  data::write_safetensors(path, state(model));
}

StateDifferences load(const std::string& path, ModelRef model, LoadOptions options) {
  return load_from<FileError>(data::read_safetensors(path), model, options, path + ": its arrays");
}

namespace {

/// The handles to the parameters, each under each of its names.
std::vector<std::variant<Variable<float>*, Variable<double>*>> handles(ModelRef model) {
  std::vector<std::variant<Variable<float>*, Variable<double>*>> found;
  Walk walk([&](const std::string&, auto& thing) {
    if constexpr (is_variable<std::remove_cvref_t<decltype(thing)>>) found.emplace_back(&thing);
  });
  model.each(walk);
  return found;
}

}  // namespace

void copy_state(ConstModelRef from, ModelRef to) {
  const data::NamedArrays arrays = data::detail::state_of({{"model", from}});
  const std::vector<data::StatePart> parts{{"model", to}};
  const auto differences = data::detail::differences(arrays, parts, "the model to copy");
  if (!differences.empty()) {
    std::string text;
    append(text, differences, "");
    throw ArgumentError("copy_state: the models differ, and nothing was copied:" + text);
  }
  data::detail::give_state(arrays, parts);
  const Parameters sources = ebb::parameters(from);
  Parameters targets = ebb::parameters(to);
  for (std::size_t i = 0; i < std::min(sources.size(), targets.size()); ++i) {
    const bool is_frozen = sources[i].visit([](const auto& v) { return v.is_frozen(); });
    targets[i].visit([&](auto& v) { is_frozen ? v.freeze() : v.unfreeze(); });
  }
}

void detail::tie_as(ConstModelRef model, ModelRef copy) {
  const auto from = handles(model), to = handles(copy);
  std::unordered_map<const void*, std::size_t> first;
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::visit(
        [&](auto* source) {
          const auto [known, is_new] = first.emplace(ebb::detail::Access::cell(*source), i);
          if (is_new) return;
          using Handle = decltype(source);
          *std::get<Handle>(to[i]) = std::get<Handle>(to[known->second])->share();
        },
        from[i]);
  }
}

}  // namespace ebb::inline v0::nn
