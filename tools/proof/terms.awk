# SPDX-License-Identifier: BSD-3-Clause
# Rewrites a source file of operations for tools/mutate: in every function that says a derivative,
# each term of a sum or difference gets a factor, which drops it when it is the mutant's turn.
#   awk -v first=N -v list=FILE -f terms.awk SOURCE
# With -v functions=REGEX those functions are rewritten in place of derivatives, and what is returned
# or assigned gets a factor, too, be it a sum or not, unless it begins as -v spared=REGEX says.
# With -v deep=1 also what is added by +=, appended by push_back, and each branch of a choice, and
# each factor of a product or quotient can be 1.
# Prints the new source. Each term becomes a line "number, operation, function, text of the term" of
# the list, tab-separated; a function without any is a line with number 0.

BEGIN {
  wholes = functions != ""
  if (spared == "") spared = "[*]"
  derivatives = wholes ? "(" functions ")[(]" : "(slope|slope_[ab]|pull|vjps|as_operations|vjp_[a-z]+|" \
                "qr_gradient|symmetric_part)[(]"
  # Functions that stand before the operations that call them: one of these.
  helps["qr_gradient"] = "qr"
  helps["symmetric_part"] = "cholesky"
}

# Whether a function that says a derivative begins in this line: its body may begin in a later one.
function begins_derivative(line) {
  if (wholes && line ~ /^ +(if|while|const|for|check|[a-z_:]+[(])/) return 0
  return line ~ (wholes ? "[ *&:]" : "[ *&]") derivatives "([^;]*[)] (const )?[{]|[^;{]*$)" &&
         line !~ /^ *return|O::/
}

# Whether a minus or plus behind this text joins two terms.
function ends_operand(text) {
  sub(/[ \n]+$/, "", text)
  if (text ~ /(^|[^A-Za-z0-9_])return$/) return 0
  return text ~ /[A-Za-z0-9_)\]]$/
}

# Finds the terms of a body: for each depth of brackets, where the expression at hand began.
function find_terms(body,    i, c, depth, start, next2, index_at, is_list, choices, is_pushed, \
                    product) {
  delete marked
  delete factors
  depth = 0
  start[0] = 1
  for (i = 1; i <= length(body); ++i) {
    c = substr(body, i, 1)
    next2 = substr(body, i, 2)
    if (next2 == "//") {
      while (i < length(body) && substr(body, i, 1) != "\n") ++i
      continue
    }
    if (c == "\"") {
      for (++i; substr(body, i, 1) != "\""; ++i) {}
      continue
    }
    if (c ~ /[({[]/) {
      ++depth
      # A brace behind a bracket or a comma lists positions, or values in brackets of their own.
      is_list = c == "{" && substr(body, 1, i - 1) !~ /[);>{}a-z][ \n]*$/
      index_at[depth] = c == "[" || is_list || (c == "{" && index_at[depth - 1])
      start[depth] = i + 1
      product[depth] = choices[depth] = 0
      is_pushed[depth] = deep && substr(body, 1, i) ~ /push_back\([{]?$/
      if (is_pushed[depth] && is_value(body, i + 1)) marked[i + 1] = 1
    } else if (c ~ /[)}\]]/) {
      --depth
      if (c == "}") start[depth] = i + 1
    } else if (next2 ~ /^(\+\+|--|->|::|<<|>>|&&|\|\||==|!=|<=|>=|\+=|-=|\*=|\/=)$/) {
      ++i
      if (next2 !~ /^(\+\+|--|->|::)$/) start[depth] = i + 1
      if (deep && next2 ~ /^[-+*\/]=$/ && is_whole(body, i + 1)) marked[i + 1] = 1
    } else if (c ~ /[,;=?:<>&|]/) {
      start[depth] = i + 1
      if (wholes && c == "=" && is_whole(body, i + 1)) marked[i + 1] = 1
      if (deep && c == "," && is_pushed[depth] && is_value(body, i + 1)) marked[i + 1] = 1
      if (deep && c ~ /[?:]/ && (c == "?" || choices[depth]) && is_branch(body, i + 1)) {
        marked[i + 1] = 1
      }
      if (c ~ /[?:]/) choices[depth] += c == "?" ? 1 : -1
      if (c == ";") choices[depth] = 0
    } else if (c ~ /[+-]/ && ends_operand(substr(body, start[depth], i - start[depth]))) {
      if (!index_at[depth] && !is_index(body, start[depth])) {
        marked[start[depth]] = marked[i + 1] = 1
      }
      product[depth] = i + 1
    } else if (deep && c ~ /[*\/]/ && ends_operand(substr(body, start[depth], i - start[depth]))) {
      if (product[depth] < start[depth]) product[depth] = start[depth]
      if (!index_at[depth] && is_product(body, i, product[depth])) {
        factors[product[depth]] = factors[i + 1] = 1
      }
    } else if (substr(body, i, 7) ~ /^return[ (]/) {
      i += 5
      start[depth] = i + 1
      if (wholes && is_whole(body, i + 1)) marked[i + 1] = 1
    }
  }
}

# What stands before a place in its statement.
function statement_before(body, at,    statement) {
  statement = substr(body, 1, at - 1)
  if (deep) while (gsub(/\{[^{};]*\}/, "", statement)) {}  # lists
  sub(/^.*[;{}]/, "", statement)
  if (deep) sub(/^[ \n]*for \(([^()]|\([^()]*\))*\)[ \n]+/, "", statement)
  return statement
}

# Whether a number begins here: no list, lambda, text, pointer or truth, and none that is spared.
function is_value(body, at) {
  if (substr(body, at) ~ /^[ \n]*([{["*!;)]|this|true|false|nullptr|0[;,) ]|[a-z_]+ = )/) return 0
  return substr(body, at) !~ "^[ \n]*(" spared ")"
}

# Whether a number stands behind a return or an assignment.
function is_whole(body, at,    statement) {
  if (!is_value(body, at)) return 0
  statement = statement_before(body, at)
  if (deep) {
    while (gsub(/\[[^][=&]+\]/, "", statement)) {}
    if (statement ~ /[^&]& |Shape|Variable/) return 0
  }
  if (statement ~ /bool|\* |auto& |Array|\[=/) return 0
  return !is_index(body, at)
}

# Whether a number begins a branch of a choice, which is no choice between two calls.
function is_branch(body, at,    statement) {
  statement = statement_before(body, at)
  return statement !~ /^[ \n]*[a-z]+ \?/ && statement !~ /push_back/ && is_whole(body, at)
}

# Whether the sign at a place multiplies or divides numbers; the product begins at `first`.
function is_product(body, at, first,    statement) {
  statement = statement_before(body, first)
  gsub(/\[[^][=&]+\]/, "", statement)
  return statement !~ /[^&]& |Shape|bool/ && !is_index(body, first) &&
         substr(body, at) !~ /^[*] const /
}

# Integers: counts, positions and loops, of which no derivative is made.
function is_index(body, at,    statement) {
  if (operation == "layer_norm" && derivative == "gradients") return 1  # rows of one result
  statement = substr(body, 1, at - 1)
  if (wholes && statement ~ /for \([^)\n]*$/) return 1
  statement = statement_before(body, at)
  if (wholes && statement ~ /throw |\* (const )?[a-z]+ =|orthogonalize\(/) return 1
  return statement ~ /int64_t|std::size_t|for \(| int |unsigned|\[[a-z]+ = /
}

# The text of a term or a factor, for the report.
function text_of(body, at, is_factor,    i, c, depth, text) {
  depth = 0
  for (i = at; i <= length(body); ++i) {
    c = substr(body, i, 1)
    if (c ~ /[({[]/) ++depth
    if (c ~ /[)}\]]/ && --depth < 0) break
    if (substr(body, i, 2) ~ /^(::|->)$/) {
      ++i
      continue
    }
    if (depth == 0 && c ~ /[,;?:<>]/) break
    if (depth == 0 && c ~ (is_factor ? "[-+*/]" : "[-+]") && ends_operand(substr(body, at, i - at))) {
      break
    }
  }
  text = substr(body, at, i - at)
  gsub(/[ \n]+/, " ", text)
  gsub(/^ | $/, "", text)
  return text
}

# The body with Term before each term and Factor before each factor, behind the space before it; an
# integer literal as a term becomes one of floating point.
function rewrite(body,    i, at, out, number) {
  find_terms(body)
  out = ""
  number = 0
  for (i = 1; i <= length(body); ++i) {
    if ((i in marked || i in factors) && substr(body, i, 1) ~ /[ \n]/) {
      for (at = i; substr(body, i, 1) ~ /[ \n]/; ++i) out = out substr(body, i, 1)
    } else {
      at = i
    }
    if (at in marked) {
      number = ++count
      print first + number "\t" operation "\t" derivative "\t" text_of(body, i, 0) > list
      out = out "ebb::detail::Term<" first + number ">{} * "
    }
    if (at in factors && text_of(body, i, 1) !~ /^(1|T[(]1[)])$/) {
      number = ++count
      print first + number "\t" operation "\t" derivative "\tthe factor " text_of(body, i, 1) > list
      out = out "ebb::detail::Factor<" first + number ">{}->*"
    }
    if (!deep && at in marked && substr(body, i) ~ /^[0-9]+[^0-9.]/) {
      match(substr(body, i), /^[0-9]+/)
      out = out substr(body, i, RLENGTH) ".0"
      i += RLENGTH - 1
      continue
    }
    out = out substr(body, i, 1)
  }
  if (!number) print 0 "\t" operation "\t" derivative "\t" > list
  return out
}

function braces(text,    opened, closed) {
  opened = gsub(/\{/, "{", text)
  closed = gsub(/\}/, "}", text)
  return opened - closed
}

FNR == 1 && wholes {
  stem = FILENAME
  gsub(/^.*\/|[.][a-z]+$/, "", stem)
  operation = stem
}
/^struct [A-Z][A-Za-z0-9]* \{/ { operation = $2 }
/static constexpr std::string_view name = "/ { split($0, quoted, "\""); operation = quoted[2] }

!inside && begins_derivative($0) {
  match($0, derivatives)
  derivative = substr($0, RSTART, RLENGTH - 1)
  if (derivative in helps) operation = helps[derivative]
  if (wholes && FILENAME ~ /[.]cpp$/) operation = stem
  if (wholes && match($0, /[A-Z][A-Za-z0-9]*(<T>)?::/)) {
    operation = substr($0, RSTART, RLENGTH - 2)
    sub(/<T>/, "", operation)
  }
  if (match($0, /[A-Z][A-Za-z0-9]*::(vjp_[abc])\(/)) {
    operation = substr($0, RSTART, RLENGTH)
    sub(/::.*/, "", operation)
  }
  inside = 1
  function_text = ""
}
inside {
  function_text = function_text (function_text == "" ? "" : "\n") $0
  if (function_text ~ /\{/ && braces(function_text) == 0) {
    brace = index(function_text, "{")
    printf "%s", substr(function_text, 1, brace)
    body = rewrite(substr(function_text, brace + 1))
    print body
    inside = 0
  } else if (function_text !~ /\{/ && function_text ~ /;[ \\]*$/) {  # a declaration
    print function_text
    inside = 0
  }
  next
}
{ print }
FNR == 1 {
  print "#include \"ebb/autodiff/engine/mutant.hpp\""
  if (deep) print "#include \"ebb/autodiff/ops.hpp\""  # the products
}
