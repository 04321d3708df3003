// SPDX-License-Identifier: BSD-3-Clause
#include "ebb/autodiff/op.hpp"

namespace ebb::inline v0::detail {

Place record_structured(const Op& op, unsigned keeps, Recorder& tape, const DenseInput* in,
                        const std::uint32_t* ids, int count, Block* y, const void* options,
                        std::size_t option_bytes) {
  BlockHandle option_block;
  if (op.attribute_block) {
    option_block = BlockHandle(allocate_bytes(option_bytes));
    std::memcpy(option_block->payload(), options, option_bytes);
  }
  Record& record = tape.next(op, y->shape, ids[0]);
  for (int k = 0; k < count; ++k) {
    record.inputs[k] = ids[k];
    if (keeps >> k & 1U) record.kept[k] = retain(in[k].block);
  }
  if (keeps & 8U) record.kept[3] = retain(y);
  if (op.attribute_block) {
    record.attributes.block = option_block.take();
  } else if (option_bytes > 0) {
    std::memcpy(&record.attributes.bits, options, option_bytes);
  }
  return tape.place(tape.publish());
}

void throw_shapes(std::string_view operation, const char* what, const Shape& a) {
  throw ShapeError(std::string(operation) + ": " + what + ", not " + to_string(a));
}
void throw_shapes(std::string_view operation, const char* what, const Shape& a, const Shape& b) {
  throw ShapeError(std::string(operation) + ": " + what + ", not " + to_string(a) + " and " +
                   to_string(b));
}

}  // namespace ebb::inline v0::detail
