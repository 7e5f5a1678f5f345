// Nodes of the gradient graph with several outputs.
#pragma once

#include <span>
#include <vector>

#include "bindings/node_state.h"

namespace lamina::bindings {

// `values`, which have no history, as the outputs of a node called `label` whose operand is `operand`.
std::vector<ValuePtr> outputs_of_one_node(const ValuePtr& operand, std::span<const ValuePtr> values, const char* label,
                                          OutputsRule rule);

}  // namespace lamina::bindings
