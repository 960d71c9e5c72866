// The codes of the solvers and of the tables in maths/activations.py and maths/costs.py, and the structures that Python
// passes. A test checks that both sides agree.
#pragma once
#include <stdint.h>

enum Activation : int64_t {
  SIGMOID = 0, TANH = 1, RELU = 2, LEAKY_RELU = 3, ELU = 4, GELU = 5, SILU = 6, SOFTPLUS = 7, IDENTITY = 8,
  SOFTMAX = 10, EXP = 11
};
enum Cost : int64_t {
  SQUARED_ERROR = 0, HALF_SQUARED_ERROR = 1, BINARY_CROSS_ENTROPY = 2, CATEGORICAL_CROSS_ENTROPY = 3, HUBER = 4,
  ABSOLUTE_ERROR = 5, POISSON = 6
};
enum Solver : int64_t { GD = 0, MOMENTUM = 1, ADAM = 2 };

// One layer of one network, whose weights start at `weights`. A narrow network has `neurons` rows of `row` numbers, padded
// with zeros. A wide network has panels of STEP neurons: a row of STEP numbers for each input, then the row of biases. The
// other fields are offsets into the working memory (in a wide network, of one panel of samples, see wide.hpp): the rows of
// σ(u); the rows that hold u, then σ′(u), then δ; and in the memory of a block, δ transposed (-1: not needed).
struct Layer { int64_t inputs, neurons, activation, weights, row, values, deltas, transposed; };

// The work to do, and the layout of the working memory.
//   weights        length of the padded weights
//   block          samples that are processed at a time
//   spare, data    offsets of three scratch rows, and of the samples
//   laid           `lay_samples` has laid out all samples there, batch after batch
//   narrow         use the kernel of four lanes
//   fused          the gradient is subtracted from the weights at once
// and for wide networks:
//   slots, slot    offset of the blocks' working memories, one per thread, and the length of one
//   panel          length of the working memory of one panel of samples
//   parts          parts of a batch, each with its own gradient; 1: all threads work on every block
//   sums           offset of the parts' gradients
struct Plan {
  int64_t cost, solver, layers, weights, samples, batch, block, spare, data, laid, narrow, fused;
  int64_t slots, slot, panel, parts, sums;
};

// The solver's settings (see training.job); tol < 0: none; clip 0: none; `share` scales the reported costs. If `worst` of
// Training is given, the task is solved when all errors |A - y| are below `solved_error`.
struct Settings {
  double learning_rate, momentum, nesterov, beta_1, beta_2, epsilon, l2, tol, patience, share, clip, solved_error,
    stop_when_solved, decay;
};

// The state of training; `finite` is 0 if a weight is not finite; `solved_after` is the call's epoch that first solved the
// task, or -1.
struct State { double updates, best, waited, converged, finite, solved_after; };

// The progress of a call: the batch, its next sample, and the first of its panels in the laid-out samples.
struct Progress { int64_t epoch, start, first, panel, phase; double whole, cost, total; };

// Threads that share a call (see team.hpp): at most `size`, each with a ticket, TICKET_APART numbers apart. `patient`: each
// has a core; `give_way` yields the core.
constexpr int64_t TICKET_APART = 8;  // a cache line
struct Team { int64_t done, units, members, size, finished, patient; int64_t* tickets; const void* give_way; };

// One network's training. `free` is 1 where a weight may change (null: everywhere), sample_weight is null if all are 1;
// `costs` are the costs of a block's panels, or of a batch's parts, then the penalties of ranges of weights; `worst` gets the largest error of an epoch in which one
// thread works on blocks (null: not needed).
template <class T> struct Training {
  const Plan* plan;
  const Settings* settings;
  const Layer* layers;
  T *memory, *gradient;
  const T *free, *X, *Y, *sample_weight;
  double* costs;
  T* worst;
};

// Many networks of the same sizes. A column of each array is a network:
//   weights, moments   (weights, networks), (0, 1 or 2 × weights, networks)
//   numbers            (Known, networks)
//   counts             (Counted, networks)
//   history            (records, networks): the costs of each epoch that `every` divides (0: none)
struct Population {
  int64_t layers, weights, moments, networks, samples, cost, solver, batch, every, stop_when_solved, block;
  double solved_error, tol, patience, beta_1, beta_2, epsilon;
};
template <class T> struct Populated {
  const Population* population;
  const int64_t *sizes, *activations, *free;
  T *memory, *weights, *moments, *numbers;
  int64_t* counts;
  T* history;
  const T *X, *Y;
};
// Many networks, each with its samples in the lanes. A row of `weights` holds one network's padded weights, then the
// solver's memory; `before` has room for one row, `costs` for the costs of a call's epochs.
template <class T> struct Each {
  const Populated<T>* populated;
  const Training<T>* training;
  const double *rates, *momenta;
  T *weights, *before;
  State* states;
  double* costs;
};
enum Known : int64_t { RATE = 0, MU = 1, COST = 2, WORST = 3, BEST = 4, WAITED = 5 };
enum Counted : int64_t { EPOCHS = 0, SOLVED_AFTER = 1, STATUS = 2 };
enum Status : int64_t { IS_TRAINING = 0, IS_SOLVED = 1, IS_CONVERGED = 2, IS_DIVERGED = 3 };
