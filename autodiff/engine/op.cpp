// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/engine/op.hpp"

namespace ebb::inline v0::detail {

EBB_HOT Place record_structured(const Op& op, unsigned keeps, Records& tape,
                                std::span<const Argument> in, Block* y, const void* options,
                                std::size_t option_bytes) {
  BlockHandle option_block;
  if (op.attribute_block) {
    option_block = BlockHandle(allocate_bytes(option_bytes));
    std::memcpy(option_block->payload(), options, option_bytes);
  }
  const bool many = op.many_inputs;
  Record& record =
      many ? tape.next_wide(op, y->shape, in.size()) : tape.next(op, y->shape, in[0].id);
  for (std::size_t k = 0; k < in.size(); ++k) {
    const bool is_kept = keeps >> k & 1U;
    if (many) {
      many_inputs_of(record)[k] = {is_kept ? retain(in[k].block) : nullptr, in[k].id};
      continue;
    }
    record.inputs[k] = in[k].id;
    if (is_kept) record.kept[k] = retain(in[k].block);
  }
  if (keeps & (many ? output_of_many : 8U)) record.kept[3] = retain(y);
  if (op.attribute_block) {
    record.attributes.block = option_block.take();
  } else if (option_bytes > 0) {
    std::memcpy(&record.attributes.bits, options, option_bytes);
  }
  return tape.publish(y);
}

void throw_shapes(std::string_view operation, const char* what, const Shape& a) {
  throw ShapeError(std::string(operation) + ": " + what + ", not " + to_string(a));
}
void throw_shapes(std::string_view operation, const char* what, const Shape& a, const Shape& b) {
  throw ShapeError(std::string(operation) + ": " + what + ", not " + to_string(a) + " and " +
                   to_string(b));
}

}  // namespace ebb::inline v0::detail
