/* rustdns: name resolution. Made from src/abi/api.rs by `make header`: don't edit. */

#ifndef RUSTDNS_H
#define RUSTDNS_H

#include <stddef.h>
#include <sys/socket.h>

/* As in <netdb.h> and <sys/socket.h>. */
struct addrinfo;
struct sockaddr;

/* The version that this header belongs to. */
#define RUSTDNS_VERSION "0.1.0"

/*
 Classes of latency.
 */
#define RUSTDNS_LATENCIES 24

/*
 What the library has done in this process: since its first call, or since the fork that made the
 process.
 */
struct rustdns_statistics {
  /*
   The caller sets it to sizeof(struct rustdns_statistics); afterwards it says how many octets
   of the structure this library knows. Later versions add members at the end only.
   */
  size_t size;
  /*
   Questions that the cache answered; A and AAAA of a name are two.
   */
  size_t cache_hits;
  /*
   Questions that it could not answer.
   */
  size_t cache_misses;
  /*
   Answers that made room for others before their time.
   */
  size_t cache_evictions;
  /*
   Answers that it holds now.
   */
  size_t cache_entries;
  /*
   Queries sent to name servers, repetitions included.
   */
  size_t queries;
  /*
   Answers that came to them, good or bad.
   */
  size_t answers;
  /*
   Questions that no name server answered in time.
   */
  size_t timeouts;
  /*
   Calls that looked up a name or an address: getaddrinfo(), getnameinfo(), gethostbyname(),
   res_query() and their relatives.
   */
  size_t lookups;
  /*
   Those that found nothing, for whatever reason.
   */
  size_t failures;
  /*
   Answers of name servers that deny a name or a record.
   */
  size_t negative;
  /*
   Questions answered from the cache after their time, because no name server answered.
   */
  size_t stale;
  /*
   Lookups that waited for another thread's question instead of asking themselves.
   */
  size_t coalesced;
  /*
   Queries sent by UDP, repetitions included.
   */
  size_t queries_udp;
  /*
   Queries sent by TCP.
   */
  size_t queries_tcp;
  /*
   How often a name server was found dead, and put behind the others.
   */
  size_t servers_dead;
  /*
   The memory that the cache takes, in octets.
   */
  size_t cache_octets;
  /*
   How many lookups took how long: latency[0] of them less than 4 microseconds, latency[i]
   less than 4 << i, and the last what is longer. A lookup that repeats one of a moment ago is
   in latency[0] without having been measured.
   */
  size_t latency[RUSTDNS_LATENCIES];
  /*
   Queries sent over TLS or HTTPS, or by TCP to have the answers' signatures checked.
   */
  size_t queries_private;
  /*
   Answers that `dnssec validate` has found to be what their zones have signed.
   */
  size_t secure;
  /*
   Answers that it has found to be from zones that sign nothing.
   */
  size_t insecure;
  /*
   Answers that it has thrown away.
   */
  size_t bogus;
};

/*
 Receives each line of the trace: `level` 1 is a decision, 2 a query or an answer; `line` ends in NUL
 without a newline, is valid during the call, and has at most 511 octets.
 */
typedef void (*rustdns_log)(void *ctx, int level, const char *line);

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/*
 Translates `node` and `service` into socket addresses, as getaddrinfo(3) does; `hints` narrows
 them. On success `*res` is a list for rustdns_freeaddrinfo().

 Returns 0 or an EAI_* code of <netdb.h>; with EAI_SYSTEM, errno says why, else errno is left
 alone. Thread-safe, not async-signal-safe; works in the child of a threaded process after fork().
 May block for as long as resolv.conf's `timeout` and `attempts` allow. Acts on a pending thread
 cancellation at its start.

 Contract:
 `node` and `service` are null or strings that end in NUL; `hints` is null or valid; `res` is
 valid for writing a pointer. All stay unchanged during the call.
 */
int rustdns_getaddrinfo(const char *node,
                        const char *service,
                        const struct addrinfo *hints,
                        struct addrinfo **res);

/*
 Translates a socket address of `salen` octets into a host's name in `host` and a service's name
 in `serv`, as getnameinfo(3) does; each is left out where its pointer is null or its length zero.

 Returns 0 or an EAI_* code: EAI_OVERFLOW where a buffer is too small. errno, threads, signals,
 fork, time and cancellation as for rustdns_getaddrinfo().

 Contract:
 `sa` is null or valid for reading `salen` octets; `host` and `serv` are null or valid for writing
 `hostlen` and `servlen` octets.
 */
int rustdns_getnameinfo(const struct sockaddr *sa,
                        socklen_t salen,
                        char *host,
                        socklen_t hostlen,
                        char *serv,
                        socklen_t servlen,
                        int flags);

/*
 Frees a list of rustdns_getaddrinfo() or of libc's getaddrinfo(), or the rest of one. Null is no
 list. Keeps errno.

 Contract:
 `list` is null or such a list, and is not used afterwards.
 */
void rustdns_freeaddrinfo(struct addrinfo *list);

/*
 The text for an EAI_* code: libc's own, in the program's language. Never null; static.
 */
const char *rustdns_gai_strerror(int code);

/*
 Reads the environment and all configuration files anew, changed or not, and forgets every
 answer. (A file that changes is noticed without this, after 100 ms.)

 Returns 0, or EAI_MEMORY. Thread-safe.
 */
int rustdns_reload(void);

/*
 Forgets every answer that is kept. Thread-safe: what another thread is using at this moment may
 stay.
 */
void rustdns_cache_flush(void);

/*
 Fills `*stats`, as many octets of it as its member `size` says (any more than this library knows
 are set to zero).

 Returns 0, EAI_OVERFLOW where `size` has no room for itself, or EAI_MEMORY. Thread-safe.

 Contract:
 `stats` points to a structure whose member `size` is set, valid for writing that many octets.
 */
int rustdns_stats(struct rustdns_statistics *stats);

/*
 Has every line of the trace told to `function`, with `ctx`, whatever RUSTDNS_DEBUG says; null ends
 that. A child made by fork() keeps it.

 It is called on whichever thread makes a lookup, also on several at once, with thread
 cancellation off; it must return (no exception, no longjmp) and must not call this library. A
 lookup that is under way may still tell the previous function.

 Returns 0, or EAI_MEMORY.

 Contract:
 `function` is null, or may be called so with `ctx` until another one is set and for the lookups that
 were under way then.
 */
int rustdns_set_log(rustdns_log function,
                    void *ctx);

/*
 The library's version: "0.1.0". Static. RUSTDNS_VERSION is the header's.
 */
const char *rustdns_version(void);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* RUSTDNS_H */
