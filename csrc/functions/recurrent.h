// Recurrent cells, and layers of them along sequences.
#pragma once

#include <vector>

#include "functions/operand.h"

namespace lamina::functions {

enum class Cell { kTanh, kRelu, kLstm, kGru };

// What is kept from step to step: the hidden state (N, H) and, by LSTM, the memory (N, M).
using CellState = std::vector<ValuePtr>;

// What the state before is multiplied with: weight (gates · M, H), bias (gates · M,) or null, and what makes H of M,
// projection (H, M) or null.
struct StateWeights {
  ValuePtr weight, bias, projection;
};

// The state after one step with an input (N, in), weight (gates · M, in), bias (gates · M,) or null. RuntimeError, as
// PyTorch words it, for sizes that do not fit.
CellState step(Cell cell, const ValuePtr& input, const CellState& state, const ValuePtr& weight, const ValuePtr& bias,
               const StateWeights& weights);

struct CellRun {
  ValuePtr outputs;  // the hidden state after each step, as `gates` lie
  CellState end;
};
// One step after another, or from the last to the first. gates: what the inputs contribute, (T, N, gates · M), or, all
// steps joined, (sum of sizes, ·) with the sizes of their batches, which shrink: a sequence that has ended keeps its
// state, or, backward, begins late.
CellRun run(Cell cell, const ValuePtr& gates, Dims batch_sizes, CellState start, StateWeights weights, bool backward);

}  // namespace lamina::functions
