/* Requests of getaddrinfo_a(3). */

#ifndef RUSTDNS_REQUESTS_H
#define RUSTDNS_REQUESTS_H

#include <signal.h>

#include "portable.h"

/* In a block's reserved members: it was ours to work on, in the process whose number follows. */
#define MARK 0x7264636e

/* What a program wants to be told when a list is done. */
struct group {
  int remaining, holders;
  int is_told;
  struct sigevent event;
  pid_t process;
};

/* A request; its strings and hints are copies, so that one that is given up needs nothing of the
   program's. */
struct request {
  struct request *next;
  struct gaicb *block; /* null: nobody wants the result any more */
  struct group *group;
  int is_running;
  char *node, *service;
  struct addrinfo hints;
  int has_hints;
};

/* A process's requests, made anew in a child. */
struct table {
  pid_t process;
  pthread_mutex_t mutex;
  pthread_cond_t work;
  int ended; /* goes up when a request has ended: what those who wait for one wait on */
  struct request *first;
  int threads, idle;
};

/* This process's; null where there is no memory. */
HIDDEN struct table *requests_table(void);
/* The lock, with the program's signal handlers kept out: they may call us, too. */
HIDDEN void requests_lock(struct table *, sigset_t *before);
HIDDEN void requests_unlock(struct table *, const sigset_t *before);

/* The following under the lock. */
/* Takes a block in; 0 where it can't be. `here`: the calling thread will work on it too. */
HIDDEN int request_accept(struct table *, struct gaicb *, struct group *, int here);
/* The next that nobody works on, of a group or (null) of all. */
HIDDEN struct request *request_waiting(struct table *, const struct group *);
/* Does its lookup, without the lock. */
HIDDEN void request_perform(struct table *, struct request *, sigset_t *before);
/* Gives a block back to the program: it is not touched afterwards. */
HIDDEN void request_end(struct gaicb *, int code, struct addrinfo *list);
HIDDEN void request_unlink(struct table *, struct request *);
HIDDEN void request_free(struct request *);
/* One request of the group less. Returns the group where it was the last: for group_finish(). */
HIDDEN struct group *group_less(struct group *, int is_done);

/* Tells the program, where it is to be told, and frees the group. Not under the lock. */
HIDDEN void group_finish(struct group *);

#endif
