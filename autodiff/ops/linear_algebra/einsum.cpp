// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/ops/linear_algebra/einsum.hpp"

#include <algorithm>
#include <cctype>

#include "ebb/autodiff/ops/shapes.hpp"

namespace ebb::inline v0 {
namespace detail {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool has(const std::string& text, char c) { return text.find(c) != std::string::npos; }

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// The start of an error message about an equation.
std::string quoted(std::string_view equation) {
  return std::string("einsum \"").append(equation).append("\": ");
}

/// The letters of a term, with the digits count - 1 ... 0 in place of "...".
std::string expanded(std::string_view equation, const std::string& term, int count) {
  std::string axes;
  bool dots = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (!dots && term.compare(i, 3, "...") == 0) {
      for (int k = count; k-- > 0;) axes += char('0' + k);
      dots = true;
      i += 2;
    } else if (is_letter(term[i])) {
      axes += term[i];
    } else {
      throw ArgumentError(
          quoted(equation).append("'").append(1, term[i]).append("' is not a letter"));
    }
  }
  return axes;
}

/// Stores the sizes of a term's axes, and checks them. Those of "..." broadcast.
void note_sizes(std::string_view equation, const std::string& term,
                const std::vector<Shape>& operands, std::size_t operand, std::int64_t* sizes) {
  const Shape& shape = operands[operand];
  for (std::size_t i = 0; i < term.size(); ++i) {
    std::int64_t& size = sizes[static_cast<unsigned char>(term[i])];
    const std::int64_t here = shape[int(i)];
    const bool stretches = !is_letter(term[i]) && (here == 1 || size == 1);
    if (size < 0 || (stretches && size == 1)) size = here;
    if (size == here || stretches) continue;
    std::string message = quoted(equation);
    if (is_letter(term[i])) {
      message.append("letter '").append(1, term[i]).append("'");
    } else {
      message.append("an axis of \"...\"");
    }
    message.append(" has size ").append(std::to_string(here)).append(" in operand ");
    message.append(std::to_string(operand)).append(" and size ").append(std::to_string(size));
    message.append(" before; the operands are");
    for (const Shape& s : operands) message.append(" ").append(to_string(s));
    throw ShapeError(message);
  }
}

/// The output of an equation without "->": the axes of "...", then the letters that occur once, in
/// alphabetical order.
std::string implicit_output(const std::vector<std::string>& terms, int dots) {
  std::string all, output, once;
  for (const auto& term : terms) all += term;
  for (int k = dots; k-- > 0;) output += char('0' + k);
  std::copy_if(all.begin(), all.end(), std::back_inserter(once),
               [&](char c) { return is_letter(c) && std::count(all.begin(), all.end(), c) == 1; });
  std::sort(once.begin(), once.end());
  return output + once;
}

}  // namespace

EinsumEquation::EinsumEquation(std::string_view equation, const std::vector<Shape>& operands) {
  std::string text;
  std::copy_if(equation.begin(), equation.end(), std::back_inserter(text),
               [](char c) { return c != ' '; });
  const std::size_t arrow = text.find("->");
  const auto inputs = split(text.substr(0, arrow), ',');
  if (inputs.size() != operands.size()) {
    throw ArgumentError(quoted(equation)
                            .append(std::to_string(inputs.size()))
                            .append(" terms for ")
                            .append(std::to_string(operands.size()))
                            .append(" operands"));
  }
  std::vector<std::int64_t> sizes(256, -1);  // by character
  int dots = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool any = has(inputs[i], '.');
    const int letters = int(expanded(equation, inputs[i], 0).size());
    const int others = operands[i].rank() - letters;
    if (others < 0 || (others > 0 && !any)) {
      throw ShapeError(quoted(equation)
                           .append("the term \"")
                           .append(inputs[i])
                           .append("\" of operand ")
                           .append(std::to_string(i))
                           .append(" does not name the axes of ")
                           .append(to_string(operands[i])));
    }
    dots = std::max(dots, others);
    terms.push_back(expanded(equation, inputs[i], others));
    note_sizes(equation, terms.back(), operands, i, sizes.data());
  }
  output = arrow == std::string::npos ? implicit_output(terms, dots)
                                      : expanded(equation, text.substr(arrow + 2), dots);
  for (const char c : output) {
    const bool known = sizes[static_cast<unsigned char>(c)] >= 0;
    if (known && std::count(output.begin(), output.end(), c) == 1) continue;
    throw ArgumentError(quoted(equation)
                            .append("the output letter '")
                            .append(1, c)
                            .append(known ? "' comes twice" : "' is in no operand"));
  }
}

namespace {

Shape shape_from(const std::vector<std::int64_t>& sizes) {
  return Shape(std::span<const std::int64_t>(sizes));
}

/// A tensor and the names of its axes, which are all different.
template <class T>
struct Named {
  Tensor<T> x;
  std::string axes;

  std::int64_t size(char axis) const { return x.shape()[int(axes.find(axis))]; }
};

/// Those of `axes` for which `chosen` is true, in their order.
template <class F>
std::string filter(const std::string& axes, F chosen) {
  std::string found;
  std::copy_if(axes.begin(), axes.end(), std::back_inserter(found), chosen);
  return found;
}

/// Takes the diagonal of axes with the same name.
template <class T>
Named<T> diagonal_of(const Tensor<T>& x, const std::string& axes) {
  std::string names;
  std::vector<std::int64_t> sizes, strides;
  std::int64_t stride = 1;
  for (int i = int(axes.size()); i-- > 0; stride *= x.shape()[i]) {
    const std::size_t at = names.find(axes[std::size_t(i)]);
    if (at != std::string::npos) {
      strides[at] += stride;
      continue;
    }
    names += axes[std::size_t(i)];
    sizes.push_back(x.shape()[i]);
    strides.push_back(stride);
  }
  if (names.size() == axes.size()) return {x, axes};
  // The last axis of x is the first here.
  const Shape shape = shape_from(sizes);
  auto positions = Array<std::int64_t>::uninitialized({shape.size()});
  std::int64_t* p = positions.mutate();
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    std::int64_t rest = i, position = 0;
    for (int axis = shape.rank(); axis-- > 0; rest /= shape[axis]) {
      position += rest % shape[axis] * strides[std::size_t(axis)];
    }
    p[i] = position;
  }
  return {reshape(gather_rows(reshape(x, {x.size()}), positions), shape), names};
}

template <class T>
Tensor<T> shaped(const Tensor<T>& x, const Shape& shape) {
  return x.shape() == shape ? x : reshape(x, shape);
}

/// Sums over the axes that are not in `keep`.
template <class T>
Named<T> summed(const Named<T>& t, const std::string& keep) {
  std::vector<int> axes;
  for (std::size_t i = 0; i < t.axes.size(); ++i) {
    if (!has(keep, t.axes[i])) axes.push_back(int(i));
  }
  if (axes.empty()) return t;
  return {sum(t.x, Axes(std::span<const int>(axes))),
          filter(t.axes, [&](char c) { return has(keep, c); })};
}

template <class T>
Tensor<T> permuted(const Named<T>& t, const std::string& order) {
  if (t.axes == order) return t.x;
  int axes[Shape::max_rank] = {};
  for (std::size_t i = 0; i < order.size(); ++i) axes[i] = int(t.axes.find(order[i]));
  return apply<op::Transpose, T>(op::Transpose::Options(axes, int(order.size())), t.x);
}

/// The sizes of these axes, stretched to those of another operand that has them.
template <class T>
std::vector<std::int64_t> sizes_of(const std::string& axes, const Named<T>& a, const Named<T>& b) {
  std::vector<std::int64_t> sizes;
  for (const char c : axes) {
    const std::int64_t p = has(a.axes, c) ? a.size(c) : 1, q = has(b.axes, c) ? b.size(c) : 1;
    sizes.push_back(p == 1 ? q : p);
  }
  return sizes;
}

/// t with these axes in this order, stretched to the sizes of another operand.
template <class T>
Tensor<T> arranged(const Named<T>& t, const Named<T>& other, const std::string& order) {
  const Shape shape = shape_from(sizes_of(order, t, other));
  const Tensor<T> x = permuted(t, order);
  return x.shape() == shape ? x : broadcast_to(x, shape);
}

/// The product of two operands, summed over the axes that both have and that are not needed later.
template <class T>
Named<T> joined(const Named<T>& a, const Named<T>& b, const std::string& needed) {
  const auto shared = [&](char c) { return has(a.axes, c) && has(b.axes, c); };
  const std::string batch = filter(a.axes, [&](char c) { return shared(c) && has(needed, c); });
  const std::string inner = filter(a.axes, [&](char c) { return shared(c) && !has(needed, c); });
  const std::string left = filter(a.axes, [&](char c) { return !shared(c); });
  const std::string right = filter(b.axes, [&](char c) { return !shared(c); });
  const auto count = [&](const std::string& axes) {
    return shape_from(sizes_of(axes, a, b)).size();
  };
  const std::int64_t n = count(batch), m = count(left), k = count(inner), p = count(right);
  const Tensor<T> x = arranged(a, b, batch + left + inner),
                  y = arranged(b, a, batch + inner + right);
  Tensor<T> z;
  if (inner.empty()) {
    z = shaped(x, {n, m, 1}) * shaped(y, {n, 1, p});
  } else if (left.empty() && right.empty()) {
    z = sum(shaped(x, {n, k}) * shaped(y, {n, k}), 1);
  } else if (batch.empty()) {
    z = matmul(shaped(x, {m, k}), shaped(y, {k, p}));
  } else {
    z = matmul(shaped(x, {n, m, k}), shaped(y, {n, k, p}));
  }
  const std::string axes = batch + left + right;
  return {shaped(z, shape_from(sizes_of(axes, a, b))), axes};
}

/// @throws ShapeError for a product that no array can hold.
void check_room(std::string_view text, std::string axes, const std::string& needed) {
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const auto count = filter(axes, [&](char c) { return has(needed, c); }).size();
  if (count <= std::size_t(Shape::max_rank)) return;
  throw ShapeError(quoted(text)
                       .append("a product on the way has ")
                       .append(std::to_string(count))
                       .append(" axes; arrays have at most ")
                       .append(std::to_string(Shape::max_rank)));
}

template <class T>
Tensor<T> einsum_of(std::string_view text, const std::vector<Tensor<T>>& operands) {
  if (operands.empty()) throw ArgumentError("einsum: no operands");
  std::vector<Shape> shapes;
  for (const auto& x : operands) shapes.push_back(Access::shape(x, "einsum"));
  const EinsumEquation equation(text, shapes);
  Named<T> result;
  std::string before;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string later = equation.output;
    for (std::size_t j = i + 1; j < operands.size(); ++j) later += equation.terms[j];
    // Axes that only this operand has are summed before the product.
    const auto next = summed(diagonal_of(operands[i], equation.terms[i]), before + later);
    check_room(text, result.axes + next.axes, later);
    result = i == 0 ? next : joined(result, next, later);
    before = result.axes;
  }
  return permuted(result, equation.output);
}

}  // namespace
}  // namespace detail

Tensor<float> einsum(std::string_view equation, const std::vector<Tensor<float>>& operands) {
  return detail::einsum_of(equation, operands);
}
Tensor<double> einsum(std::string_view equation, const std::vector<Tensor<double>>& operands) {
  return detail::einsum_of(equation, operands);
}

}  // namespace ebb::inline v0
