/* rustdns in portable C: what the files of this folder know of each other.

   core.c is the library itself, made from its Rust source. It knows nothing of the system: the
   functions that it imports are in system.c, and the functions that programs call, in the other
   files, call it with octets and lay its answers out in the structures of the system's headers. */

#ifndef RUSTDNS_PORTABLE_H
#define RUSTDNS_PORTABLE_H

#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "core.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "For machines whose least significant octet comes first; others have Rust."
#endif

#define HIDDEN __attribute__((visibility("hidden")))
#define EXPORT __attribute__((visibility("default")))

/* ---- instances.c: instances of the core, of which each serves one call at a time ---- */

/* Files and sockets that a call has open at once, at most: more than it has servers and tries. */
#define MAX_OPEN 32

/* What the core's imports are given. */
struct Z_rustdns_sys_instance_t {
  wasm_rt_memory_t *memory;
  /* The resolver state that the call goes by; null: the thread's. */
  struct __res_state *state;
  int open[MAX_OPEN];
  /* What the kernel knows each by, so that it is known again; 0: by nothing. */
  uint64_t known_by[MAX_OPEN];
  int open_count;
};

struct instance {
  Z_rustdns_instance_t core;
  struct Z_rustdns_sys_instance_t system;
  /* What it has done of what all of them are to do. */
  unsigned reloads, flushes, choices;
};

/* Which instance a call may have. */
enum which {
  ANY,
  /* The one that walks through the hosts file. */
  WALKER
};

/* Results that the work itself never has. */
enum { CORE_NO_MEMORY = INT32_MIN, CORE_BROKEN = INT32_MIN + 1 };

/* Does the work with an instance, and returns what it returns: CORE_NO_MEMORY where there is none to
   be had, CORE_BROKEN where the core has trapped (a bug of ours; the instance is thrown away). */
typedef int work_function(struct instance *, void *argument);
HIDDEN int with_core(enum which, struct __res_state *state, work_function *, void *argument);

/* A bug of ours was found while an instance is at work: with_core() returns CORE_BROKEN. */
#define broken() wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE)

/* The thread's call with this frame was jumped out of, as the call with the frame `here` can tell: both are the
   outermost ones. */
HIDDEN int frame_is_left(const char *frame, const char *here);

/* Room for octets in the instance's memory, for its next call; 0 where it has no memory. */
HIDDEN uint32_t core_room(struct instance *, size_t length);
/* Octets in the instance's memory, valid until its next call. */
HIDDEN uint8_t *core_octets(struct Z_rustdns_sys_instance_t *, uint32_t place, uint32_t length);

/* The answer of the instance's last call, read from its beginning. */
struct reply {
  const uint8_t *next, *end;
};
#define NONE UINT32_MAX
HIDDEN struct reply core_reply(struct instance *);
HIDDEN const uint8_t *reply_raw(struct reply *, size_t length);
HIDDEN uint32_t reply_number(struct reply *);
/* Octets with their length before them. */
HIDDEN const uint8_t *reply_octets(struct reply *, uint32_t *length);

/* For all instances of the process, those to come too: done by each before its next call. */
HIDDEN void core_reload_all(struct instance *done_by);
HIDDEN void core_flush_all(void);
HIDDEN int core_choose_all(const char *line);
/* Has every idle instance work; one that is busy is left out. */
HIDDEN void core_visit(work_function *, void *argument);

/* ---- system.c ---- */

/* What the kernel knows a descriptor by, and no other one's file: a socket's cookie; 0 where it has no word. */
HIDDEN uint64_t system_known_by(int descriptor);

/* ---- pool.c ---- */

/* A variable of the environment as it was when this process first called, or last reloaded: its length,
   which may be more than there is room for; -1 where it is not set. */
HIDDEN int environment_copy(const char *name, uint32_t name_length, uint8_t *place, uint32_t room);

/* ---- futex.c ---- */

/* A time from now on the monotonic clock. */
HIDDEN struct timespec time_after(time_t seconds, long nanoseconds);
/* Waits while the word is what was seen: 0, or EINTR, or ETIMEDOUT; another errno where it can't wait. */
HIDDEN int futex_wait(const int *word, int seen, const struct timespec *limit);
/* Changes the word and wakes all who wait for that. */
HIDDEN void futex_tell(int *word);

/* ---- entry.c: the outermost frame of what programs call ---- */

struct entry {
  int error_number, cancellation, cancellation_type;
  const char *frame, *frame_before;
};
/* Acts on a pending cancellation, then holds it off; keeps errno. */
#define entry_begin(entry) entry_begin_at(entry, __builtin_frame_address(0))
HIDDEN void entry_begin_at(struct entry *, const char *frame);
/* The outermost frame of the thread's call; null where it is in none. */
HIDDEN const char *entry_frame(void);
/* Puts errno and cancellation back. */
HIDDEN void entry_end(struct entry *);
/* The same with an errno of the call's own, as the core says it (see system_errno()). */
HIDDEN void entry_end_with(struct entry *, int32_t core_errno);

/* ---- system.c ---- */

/* The errno that the core means: its own numbers are below zero. */
HIDDEN int system_errno(int32_t core_errno);
/* Fills the place with unpredictable octets; 0 where there are none. */
HIDDEN int system_random(void *place, size_t length);

struct listener {
  void (*function)(void *context, int level, const char *line);
  void *context;
};
HIDDEN extern struct listener *system_listener;

/* ---- addresses.c: addresses between the core's form and the system's ---- */

/* 16 octets of address (IPv4: the first four), scope, port (least significant octet first), family
   (4 or 6). */
#define ADDRESS_LENGTH 24
struct address {
  uint8_t octets[16];
  uint32_t scope;
  uint16_t port;
  uint8_t family;
};
HIDDEN void address_write(const struct address *, uint8_t *place);
HIDDEN void address_read(const uint8_t *place, struct address *);
/* From a socket address of IPv4 or IPv6; 0 where it is none. */
HIDDEN int address_of(const void *sockaddr, socklen_t length, struct address *);
/* To a socket address; its length. */
HIDDEN socklen_t address_to(const struct address *, void *sockaddr);
/* The core's number for a family: 0 for both, 4, 6; -1 for one that is unknown. */
HIDDEN int family_number(int family);

/* ---- addrinfo.c ---- */

HIDDEN int do_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                          struct addrinfo **result, int32_t *core_errno);
HIDDEN int do_getnameinfo(const struct sockaddr *, socklen_t, char *host, socklen_t host_length,
                          char *service, socklen_t service_length, int flags, int32_t *core_errno);
HIDDEN void do_freeaddrinfo(struct addrinfo *);
/* An answer of getaddrinfo() or getnameinfo() as EAI_*. */
HIDDEN int eai_code(int result);

/* ---- hosts.c ---- */

/* A host as the core tells it. */
struct host {
  const uint8_t *name, *aliases, *addresses;
  uint32_t name_length, aliases_length, address_count, ttl;
};
HIDDEN void host_read(struct instance *, struct host *);
/* The octets that it takes at most. */
HIDDEN size_t host_room(const struct host *);
/* Lays it out in a buffer at any address; 0 where it is too small. */
HIDDEN int host_pack(const struct host *, struct hostent *, char *buffer, size_t length);

/* What is asked of the core about a host. */
enum host_question { BY_NAME, BY_ADDRESS, DNS_BY_NAME, DNS_BY_ADDRESS };
struct host_query {
  enum host_question question;
  const char *name;
  int family;
  struct address address;
  /* What is done with the host: 0 where it does not fit. */
  int (*take)(const struct host *, void *argument);
  void *argument;
  /* Why there is no host. */
  int32_t core_errno;
};
/* How it ended: 0, a failure of the core's, or HOST_TOO_LARGE. */
enum {
  HOST_NO_NAME = 1,
  HOST_NO_DATA,
  HOST_AGAIN,
  HOST_UNAVAILABLE,
  HOST_UNRELATED,
  HOST_REFUSED,
  HOST_NO_SERVICE,
  HOST_NO_MEMORY,
  HOST_SYSTEM,
  HOST_TOO_LARGE = 100,
  HOST_FAMILY
};
HIDDEN int host_ask(struct host_query *);

#endif
