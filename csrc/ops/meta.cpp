// Recording on the device meta.
#include "ops/meta.h"

#include "ops/build.h"
#include "ops/memory_order.h"
#include "support/check.h"

namespace lamina {

namespace {

bool may_be_anywhere(const Value* reader, const Value* operand, std::size_t place) {
  if (operand->shape->rank() == 0) return true;
  switch (row(reader->op).kernel.family) {
    case Family::kRebase:  // there the second operand is only a history
    case Family::kGather:
    case Family::kScatter:
    case Family::kScatterAdd:
    case Family::kTakeRows:
    case Family::kPutRows:
    case Family::kWeighed:
      return place == 1;
    default:
      return false;
  }
}

}  // namespace

void put_on_meta(Value* value, std::span<Value* const> inputs) {
  const Value* first = nullptr;  // of those that cannot be anywhere
  for (std::size_t place = 0; place < inputs.size(); ++place) {
    if (may_be_anywhere(value, inputs[place], place)) continue;
    if (!first) first = inputs[place];
    check_device(first->device(), inputs[place]->device());
  }
  if (first) check_device(first->device(), Device::kMeta);
  value->flags |= kMeta;
  if (!value->requires_grad() && !value->has(kPerExample) && !keeps_base(value)) drop_inputs(value);
}

ValuePtr to_device(ValuePtr value, Device device) {
  if (value->device() == device) return value;
  if (device == Device::kCpu) fail_no_data();
  ValuePtr there = make_meta(value->shape, value->dtype);
  show_strides(there.get(), preserved_strides(value->shape, shown_strides(value.get())));
  return grad_enabled() && value->requires_grad() ? build::rebase(there, value) : there;
}

void fail_no_data() { fail(ErrorKind::kNotImplemented, "Cannot copy out of meta tensor; no data!"); }

void check_device(Device expected, Device got) {
  check(expected == got, "Expected all tensors to be on the same device, but found at least two devices, ",
        name_of(expected), " and ", name_of(got), "! Tensor on device ", name_of(got),
        " is not on the expected device ", name_of(expected), "!");
}

}  // namespace lamina
