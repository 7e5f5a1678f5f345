// The machine's own limits: prints the best rate of several trials of one loop on some threads, in units of 1e9/s.
// Usage: machine fma|read|copy THREADS MEGABYTES [TRIALS]
// fma counts two operations for each lane; read and copy count bytes touched, which is twice the bytes copied.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef float Vector __attribute__((vector_size(BYTES)));
typedef long Words __attribute__((vector_size(BYTES)));
enum { kChains = 12, kMostTrials = 60, kFmaTurns = 400000, kSmall = 16000000 };

static const char* kind;
static size_t share;  // bytes of one thread
static pthread_barrier_t barrier;
static volatile float factor = 0.5f;
static volatile float sink;
static int trials;
static double best[kMostTrials];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Enough independent chains to hide an FMA's latency on two ports; they and the operands fit 16 registers.
static void fma_loop(void) {
  Vector a = (Vector){0} + factor, chain[kChains];
  for (int i = 0; i < kChains; i++) chain[i] = (Vector){0} + (float)i;
  for (long turn = 0; turn < kFmaTurns; turn++)
    for (int i = 0; i < kChains; i++) chain[i] = chain[i] * a + a;
  for (int i = 1; i < kChains; i++) chain[0] += chain[i];
  sink = chain[0][0];
}

static void read_loop(const char* from) {
  Words sum[8] = {{0}};
  const Words* p = (const Words*)from;
  for (size_t i = 0; i + 8 <= share / BYTES; i += 8)
    for (int k = 0; k < 8; k++) sum[k] ^= p[i + k];
  for (int k = 1; k < 8; k++) sum[0] ^= sum[k];
  sink = (float)sum[0][0];
}

static void* work(void* first) {
  char *from = NULL, *to = NULL;
  if (strcmp(kind, "fma") != 0) {
    const int copies = strcmp(kind, "copy") == 0;
    from = aligned_alloc(4096, share);
    to = copies ? aligned_alloc(4096, share) : from;
    if (!from || !to) exit(1);
    memset(from, 1, share);
    if (copies) memset(to, 1, share);
  }
  for (int trial = 0; trial < trials; trial++) {
    pthread_barrier_wait(&barrier);
    double begin = now();
    if (strcmp(kind, "fma") == 0)
      fma_loop();
    else if (strcmp(kind, "read") == 0)
      read_loop(from);
    else
      memcpy(to, from, share);
    pthread_barrier_wait(&barrier);
    if (first) best[trial] = now() - begin;
  }
  return NULL;
}

int main(int count, char** arguments) {
  if (count != 4 && count != 5) return 2;
  kind = arguments[1];
  int threads = atoi(arguments[2]);
  if (threads < 1) return 2;
  share = ((size_t)atol(arguments[3]) * 1000000 / threads + 4095) / 4096 * 4096;
  // Short trials and many of them: some fall between two of the scheduler's turns.
  trials = count == 5 ? atoi(arguments[4]) : (size_t)atol(arguments[3]) * 1000000 <= kSmall ? kMostTrials : 7;
  if (trials < 1 || trials > kMostTrials) return 2;
  pthread_barrier_init(&barrier, NULL, threads);
  pthread_t others[threads];
  for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, work, NULL);
  work(&threads);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  double fastest = best[0];
  for (int i = 1; i < trials; i++) fastest = best[i] < fastest ? best[i] : fastest;
  double amount = strcmp(kind, "fma") == 0 ? 2.0 * kFmaTurns * kChains * (BYTES / sizeof(float))
                                           : (double)share * (strcmp(kind, "copy") == 0 ? 2 : 1);
  printf("%.2f\n", amount * threads / fastest * 1e-9);
  return 0;
}
