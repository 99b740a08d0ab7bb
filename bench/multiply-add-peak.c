// Multiplications and additions a second that one core can do, apart and fused, with nothing but registers: what the shares in
// docs/performance.md are shares of.
//
//     for width in "4 -msse4.1" "8 -mavx2 -mfma" "16 -march=skylake-avx512 -mprefer-vector-width=512"; do
//       clang -O3 -ffp-contract=off -DLANES=${width%% *} ${width#* } bench/multiply-add-peak.c -o peak && ./peak
//     done
//
// -ffp-contract=fast gives the fused figure. The fastest of 20 rounds counts, since a round can only be disturbed.
#include <stdio.h>
#include <time.h>

typedef float lanes __attribute__((vector_size(4 * LANES)));

// Independent sums: enough that no addition waits for the one before, and few enough for 16 registers.
#define SUMS 8

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(void) {
  const long repeats = 2000000;
  lanes sum[SUMS] = {0}, a = {0}, b = {0};
  for (int l = 0; l < LANES; l++) a[l] = 1e-9f * (float)l, b[l] = 1.0f;
  double fastest = 1e9;
  for (int round = 0; round < 20; round++) {
    double begin = seconds();
    for (long n = 0; n < repeats; n++) {
#pragma clang loop unroll(full)
      for (int i = 0; i < SUMS; i++) {
        sum[i] += a * b;
        __asm__ volatile("" : "+v"(sum[i]), "+v"(a)); // so that the product is not taken out of the loop
      }
    }
    double spent = seconds() - begin;
    if (spent < fastest) fastest = spent;
  }
  for (int i = 1; i < SUMS; i++) sum[0] += sum[i];
  printf("%2d floats: %.1f G multiply-adds/s (%g)\n", LANES, (double)repeats * SUMS * LANES / fastest / 1e9, (double)sum[0][1]);
  return 0;
}
