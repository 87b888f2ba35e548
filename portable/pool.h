/* What a process has of the core: instances and what they share. */

#ifndef RUSTDNS_POOL_H
#define RUSTDNS_POOL_H

#include "portable.h"

/* Calls that run side by side, at most; more wait for one another. Slot 0 is the hosts file's walker. */
#ifndef RUSTDNS_INSTANCES
#define RUSTDNS_INSTANCES 32
#endif
#define SLOTS (RUSTDNS_INSTANCES + 1)

struct slot {
  int owner; /* the thread whose call has it; 0: none */
  /* Where on its stack the call is; null while the slot changes hands. */
  const char *frame;
  struct instance *instance;
};

/* Variables of the environment: NAME=value, each ended by NUL, and one NUL more. */
struct environment {
  struct environment *before; /* not freed: another thread may be reading it */
  size_t length;
  char text[];
};

struct pool {
  pid_t process; /* 0 where the page tells */
  struct pool *before; /* the parent's */
  struct slot slots[SLOTS];
  struct environment *environment;
  unsigned reloads, flushes;
  int freed, waiting; /* slots given back while somebody waited; who waits */
};

/* This process's; null where there is no memory for one. */
HIDDEN struct pool *pool_get(void);
/* Reads the environment anew; 0 where there is no memory. */
HIDDEN int environment_reload(struct pool *);

#endif
