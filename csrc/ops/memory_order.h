// The order in which a tensor's elements lie in PyTorch's memory, and which of them results of operations take on.
//
// A value's numbers mean the same in whatever order they are stored, so that kernels and plans know nothing of this: a
// value that is no view is computed row-major, and says with `shown_strides` how it is to be seen. Its memory is
// brought into that order when the outside gets to see it (engine::make_exportable).
#pragma once

#include <optional>
#include <span>

#include "graph/value.h"

namespace lamina {

enum class MemoryFormat : std::uint8_t { kContiguous, kPreserve, kChannelsLast, kChannelsLast3d };

// Strides in elements, spelled out. Of a view whose bases are not reordered, gaps between the elements are left out.
DimVector shown_strides(const Value* value);
// Gives a fresh value these strides; row-major ones are its own without further ado.
void show_strides(Value* value, Dims strides);
// The same order as that of `like`, which has the same shape.
void show_as(Value* value, const Value* like);

// Is each place between the first and the last element that of exactly one of them?
bool is_dense(const Shape* shape, Dims strides);
// Axes of size 1 do not matter. channels_last is for 4 axes, channels_last_3d for 5: else false.
bool lies_in(const Shape* shape, Dims strides, MemoryFormat format);
// Strides of a new tensor; not for kPreserve. Raises PyTorch's error for a wrong number of axes.
DimVector strides_in(const Shape* shape, MemoryFormat format);
// What a layer gives when this is its input: channels last, or contiguous.
MemoryFormat suggested_format(const Shape* shape, Dims strides);

// Strides of a dense tensor in the order of one with these: what clone() and the *_like functions give.
DimVector preserved_strides(const Shape* shape, Dims strides);
// Strides of an elementwise result, by the rule of PyTorch's TensorIterator: if all operands lie alike, as they do;
// else the axes are sorted by the strides of the first operand that tells two of them apart.
DimVector elementwise_strides(const Shape* shape, std::span<Value* const> operands);

// The axes from the farthest to the nearest in memory; nothing if they are not those of a dense tensor.
std::optional<DimVector> axes_in_memory(const Shape* shape, Dims strides);

// The same elements with the axes in another order.
const Shape* permuted(const Shape* shape, Dims axes);

// The axes that undo an order of axes.
DimVector inverse_of(Dims axes);

// Gives a value that is being recorded the order that its inputs hand on to it; at least one is reordered.
void hand_on_order(Value* value, std::span<Value* const> inputs);

}  // namespace lamina
