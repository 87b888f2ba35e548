/* The way out of the core that a trap takes. */

#ifndef RUSTDNS_RUNTIME_H
#define RUSTDNS_RUNTIME_H

#include <setjmp.h>

#include "wasm-rt.h"

struct way_out {
  jmp_buf target;
  struct way_out *outer;
};

/* Between the two, traps on this thread return from setjmp(here->target). */
__attribute__((visibility("hidden"))) void way_out_open(struct way_out *here);
__attribute__((visibility("hidden"))) void way_out_close(struct way_out *here);
/* One is open: the thread is in the middle of a call, or has jumped out of one since it began. */
__attribute__((visibility("hidden"))) int way_out_is_open(void);

#endif
