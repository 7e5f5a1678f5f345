// Recurrent cells, and layers of them along sequences. Tests: tests/python/test_nn_rnn.py.
#include "functions/recurrent.h"

#include <algorithm>

#include "functions/autocast.h"
#include "functions/linear.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

ValuePtr plus(const ValuePtr& a, const ValuePtr& b) { return binary(Op::add, a, b); }
ValuePtr times(const ValuePtr& a, const ValuePtr& b) { return binary(Op::mul, a, b); }
ValuePtr sigmoid(const ValuePtr& x) { return unary(Op::sigmoid, x); }
ValuePtr tanh(const ValuePtr& x) { return unary(Op::tanh, x); }

ValuePtr rows(const ValuePtr& x, std::int64_t start, std::int64_t count) {
  return count == (*x->shape)[0] ? x : build::narrow(x, 0, start, count);
}

// Columns of this gate, of so many.
ValuePtr gate(const ValuePtr& gates, int number, int count) {
  std::int64_t width = (*gates->shape)[1] / count;
  return build::narrow(gates, 1, number * width, width);
}

ValuePtr under_autocast(const ValuePtr& x) {
  return x && autocasts() && is_cast(*x) ? build::cast(x, *autocast_dtype()) : x;
}
ValuePtr product(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias) {
  return linear(under_autocast(x), under_autocast(weight), under_autocast(bias));
}

// (Hochreiter and Schmidhuber, 1997), with projections by Sak et al. (2014).
CellState lstm(const ValuePtr& gates, const CellState& state, const StateWeights& weights) {
  ValuePtr sum = plus(gates, product(state[0], weights.weight, weights.bias));
  ValuePtr keep = sigmoid(gate(sum, 1, 4)), take = sigmoid(gate(sum, 0, 4)), show = sigmoid(gate(sum, 3, 4));
  ValuePtr memory = plus(times(keep, state[1]), times(take, tanh(gate(sum, 2, 4))));
  ValuePtr hidden = times(show, tanh(memory));
  if (weights.projection) hidden = product(hidden, weights.projection, nullptr);
  return {hidden, memory};
}

// (Cho et al., 2014); the reset gate acts behind the product with the hidden weight.
CellState gru(const ValuePtr& gates, const CellState& state, const StateWeights& weights) {
  const ValuePtr& hidden = state[0];
  ValuePtr from_state = product(hidden, weights.weight, weights.bias);
  ValuePtr reset = sigmoid(plus(gate(gates, 0, 3), gate(from_state, 0, 3)));
  ValuePtr keep = sigmoid(plus(gate(gates, 1, 3), gate(from_state, 1, 3)));
  ValuePtr fresh = tanh(plus(gate(gates, 2, 3), times(reset, gate(from_state, 2, 3))));
  return {plus(fresh, times(keep, binary(Op::sub, hidden, fresh)))};
}

// The state after one step, to whose gates (N, gates · M) the input contributes these.
CellState advance(Cell cell, const ValuePtr& gates, const CellState& state, const StateWeights& weights) {
  if (cell == Cell::kLstm) return lstm(gates, state, weights);
  if (cell == Cell::kGru) return gru(gates, state, weights);
  ValuePtr sum = plus(gates, product(state[0], weights.weight, weights.bias));  // Elman's (1990)
  return {unary(cell == Cell::kTanh ? Op::tanh : Op::relu, sum)};
}

void check_cell(Cell cell, const ValuePtr& input, const CellState& state, const ValuePtr& input_weight,
                const ValuePtr& state_weight) {
  // Of an axis that is not there, PyTorch says this.
  auto size = [](const char* name, const ValuePtr& x, int axis) {
    if (x->shape->rank() <= axis)
      fail(ErrorKind::kIndex, "expected ", name, " of 2 dimensions, got shape ", to_string(x->shape->dims()),
           ": Dimension out of range");
    return (*x->shape)[axis];
  };
  const std::int64_t batch = size("input", input, 0), features = size("input", input, 1),
                     expected = size("w_ih", input_weight, 1), hidden = size("w_hh", state_weight, 1);
  check(features == expected, "input has inconsistent input_size: got ", features, " expected ", expected);
  for (std::size_t i = 0; i < state.size(); ++i) {
    const std::int64_t rows = size("hx", state[i], 0), width = size("hx", state[i], 1);
    check(batch == rows, "Input batch size ", batch, " doesn't match hidden", i, " batch size ", rows);
    check(width == hidden, "hidden", i, " has inconsistent hidden_size: got ", width, ", expected ", hidden);
  }
  const std::int64_t rows = hidden * (cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1);
  for (const ValuePtr& weight : {input_weight, state_weight})
    check((*weight->shape)[0] == rows, "expected weights of ", rows, " rows for a hidden_size of ", hidden,
          ", got shape ", to_string(weight->shape->dims()));
}

// Each part of `state`, changed by `change(part, number)`.
template <typename Change>
CellState each(const CellState& state, Change change) {
  CellState changed;
  for (std::size_t i = 0; i < state.size(); ++i) changed.push_back(change(state[i], i));
  return changed;
}

}  // namespace

CellState step(Cell cell, const ValuePtr& input, const CellState& state, const ValuePtr& weight, const ValuePtr& bias,
               const StateWeights& weights) {
  check_cell(cell, input, state, weight, weights.weight);
  return advance(cell, product(input, weight, bias), state, weights);
}

CellRun run(Cell cell, const ValuePtr& gates, Dims batch_sizes, CellState start, StateWeights weights, bool backward) {
  const bool padded = gates->shape->rank() == 3;
  ValuePtr joined = gates;
  DimVector sizes(batch_sizes.begin(), batch_sizes.end());
  if (padded) {
    const std::int64_t steps = (*gates->shape)[0], batch = (*gates->shape)[1];
    joined = build::reshape(gates, Shape::of({steps * batch, (*gates->shape)[2]}));
    sizes = DimVector(static_cast<std::size_t>(steps), batch);
  }
  for (ValuePtr* weight : {&weights.weight, &weights.bias, &weights.projection}) *weight = under_autocast(*weight);
  std::int64_t place = backward ? (*joined->shape)[0] : 0, count = backward ? sizes.back() : sizes[0];
  CellState state = each(start, [&](const ValuePtr& part, std::size_t) { return rows(part, 0, count); });
  std::vector<ValuePtr> outputs;
  std::vector<CellState> ended;
  for (std::size_t turn = 0; turn < sizes.size(); ++turn) {
    const std::int64_t now = sizes[backward ? sizes.size() - 1 - turn : turn];
    if (now < count) {
      ended.push_back(each(state, [&](const ValuePtr& part, std::size_t) { return rows(part, now, count - now); }));
      state = each(state, [&](const ValuePtr& part, std::size_t) { return rows(part, 0, now); });
    } else if (now > count) {
      state = each(state, [&](const ValuePtr& part, std::size_t number) {
        return cat({part, rows(start[number], count, now - count)}, 0);
      });
    }
    count = now;
    if (backward) place -= now;
    state = advance(cell, rows(joined, place, now), state, weights);
    if (!backward) place += now;
    outputs.push_back(state[0]);
  }
  if (!ended.empty()) {
    state = each(state, [&](const ValuePtr& part, std::size_t number) {
      std::vector<ValuePtr> parts{part};
      for (std::size_t i = ended.size(); i-- > 0;) parts.push_back(ended[i][number]);
      return cat(parts, 0);
    });
  }
  if (backward) std::ranges::reverse(outputs);
  ValuePtr result = cat(outputs, 0);
  if (padded) {
    const Shape* shape = Shape::of({(*gates->shape)[0], (*gates->shape)[1], (*result->shape)[1]});
    result = build::reshape(result, shape);
  }
  return {result, state};
}

}  // namespace lamina::functions
