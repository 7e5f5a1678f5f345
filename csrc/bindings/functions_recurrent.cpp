// Rows of the registry: recurrent cells, and a layer of them along sequences.
#include <string_view>

#include "bindings/registry.h"
#include "functions/recurrent.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

using functions::Cell;

// "input, hx, w_ih, w_hh, b_ih=None, b_hh=None"
functions::CellState step(Cell cell, const Arguments& a, const functions::CellState& state) {
  functions::StateWeights weights{a.tensor(3), a.tensor_or_null(5), nullptr};
  return functions::step(cell, a.tensor(0), state, a.tensor(2), a.tensor_or_null(4), weights);
}

}  // namespace

LAMINA_FUNCTION(kModule, rnn_tanh_cell, "input, hx, w_ih, w_hh, b_ih=None, b_hh=None") {
  return wrap(step(Cell::kTanh, a, {a.tensor(1)})[0]);
}
LAMINA_FUNCTION(kModule, rnn_relu_cell, "input, hx, w_ih, w_hh, b_ih=None, b_hh=None") {
  return wrap(step(Cell::kRelu, a, {a.tensor(1)})[0]);
}
LAMINA_FUNCTION(kModule, gru_cell, "input, hx, w_ih, w_hh, b_ih=None, b_hh=None") {
  return wrap(step(Cell::kGru, a, {a.tensor(1)})[0]);
}
LAMINA_FUNCTION(kModule, lstm_cell, "input, hx, w_ih, w_hh, b_ih=None, b_hh=None") {
  std::vector<ValuePtr> state = a.tensors(1);
  check(state.size() == 2, "lstm_cell expects two hidden states");
  return wrap_tuple(step(Cell::kLstm, a, state));
}

// What comes out at every step, and the parts of the state at the end.
LAMINA_FUNCTION(kModule, _run_cells, "mode, gates, state, batch_sizes, w_hh, b_hh, w_hr, backward") {
  const std::string_view mode = a.text(0);
  const Cell cell = mode == "LSTM"       ? Cell::kLstm
                    : mode == "GRU"      ? Cell::kGru
                    : mode == "RNN_TANH" ? Cell::kTanh
                                         : Cell::kRelu;
  DimVector batch_sizes = a.given(3) ? a.dims(3) : DimVector();
  functions::StateWeights weights{a.tensor(4), a.tensor_or_null(5), a.tensor_or_null(6)};
  functions::CellRun run =
      functions::run(cell, a.tensor(1), batch_sizes, a.tensors(2), std::move(weights), a.flag(7, false));
  run.end.insert(run.end.begin(), std::move(run.outputs));
  return wrap_tuple(std::move(run.end));
}

}  // namespace lamina::bindings
