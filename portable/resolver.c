/* The resolver(3) family: res_query and its relatives, each under both spellings that binaries import,
   for the thread's _res and (res_n*) for a state of the caller's. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

#include "state.h"

/* resolv.h has the plain names stand for the others. */
#undef res_init
#undef res_query
#undef res_search
#undef res_querydomain
#undef res_mkquery
#undef res_send
#undef res_ninit
#undef res_nquery
#undef res_nsearch
#undef res_nquerydomain
#undef res_nmkquery
#undef res_nsend
#undef res_nclose

enum kind { DO_INIT, DO_NINIT, DO_QUERY, DO_SEARCH, DO_QUERY_DOMAIN, DO_MAKE_QUERY, DO_SEND };

struct question {
  enum kind kind;
  const void *first, *second; /* name or message; domain */
  size_t first_length, second_length;
  int op, class_, type;
  unsigned char *answer;
  int size;
  /* What errno becomes; LEFT_ALONE: what it was. */
  int32_t core_errno;
};

#define LEFT_ALONE INT32_MIN
#define OUT_OF_MEMORY (-2) /* the core's number for it */

static int init(struct instance *instance, struct question *question)
{
  int keep = question->kind == DO_INIT;
  if (keep)
    core_reload_all(instance);
  if (state_fill(instance, keep, keep))
    return 0;
  question->core_errno = OUT_OF_MEMORY;
  return -1;
}

static int call(struct instance *instance, struct question *question, u32 first, u32 second)
{
  Z_rustdns_instance_t *core = &instance->core;
  u32 length = (u32)question->first_length, class_ = (u32)question->class_;
  u32 type = (u32)question->type;
  u32 size = question->answer != NULL && question->size > 0 ? (u32)question->size : 0;
  u32 second_length = question->second == NULL ? NONE : (u32)question->second_length;
  switch (question->kind) {
  case DO_QUERY:
    return (int)Z_rustdnsZ_res_query(core, first, length, class_, type, size);
  case DO_SEARCH:
    return (int)Z_rustdnsZ_res_search(core, first, length, class_, type, size);
  case DO_QUERY_DOMAIN:
    return (int)Z_rustdnsZ_res_query_domain(core, first, length, second, second_length, class_, type,
                                            size);
  case DO_MAKE_QUERY:
    return (int)Z_rustdnsZ_res_make_query(core, (u32)question->op, first, length, class_, type, size);
  default:
    return (int)Z_rustdnsZ_res_send(core, first, length, size);
  }
}

static int ask(struct instance *instance, void *argument)
{
  struct question *question = argument;
  size_t length = question->first_length, second_length = question->second_length;
  u32 room, answered;
  struct reply reply;
  const uint8_t *octets;
  int result;
  if (question->kind == DO_INIT || question->kind == DO_NINIT)
    return init(instance, question);
  /* A state of the caller's is as it is. */
  if (instance->system.state == NULL && !state_fill_once(instance))
    return CORE_NO_MEMORY;
  room = core_room(instance, length + second_length + 1);
  if (room == 0)
    return CORE_NO_MEMORY;
  if (length != 0)
    memcpy(core_octets(&instance->system, room, (u32)length), question->first, length);
  if (second_length != 0)
    memcpy(core_octets(&instance->system, room + (u32)length, (u32)second_length), question->second,
           second_length);
  result = call(instance, question, room, room + (u32)length);
  reply = core_reply(instance);
  question->core_errno = (int32_t)reply_number(&reply);
  octets = reply_octets(&reply, &answered);
  if (answered > 0 && answered > (u32)question->size)
    broken();
  if (answered > 0)
    memcpy(question->answer, octets, answered);
  if (question->kind == DO_MAKE_QUERY && answered >= 2)
    state_set_id(instance, octets);
  return result;
}

static int work(struct question *question, struct __res_state *state)
{
  struct entry entry;
  int result;
  entry_begin(&entry);
  question->core_errno = LEFT_ALONE;
  result = with_core(ANY, state, ask, question);
  if (result == CORE_NO_MEMORY) {
    h_errno = NETDB_INTERNAL;
    question->core_errno = OUT_OF_MEMORY;
  }
  if (question->core_errno == LEFT_ALONE)
    entry_end(&entry);
  else
    entry_end_with(&entry, question->core_errno);
  return result < 0 ? -1 : result;
}

static int ask_name(enum kind kind, struct __res_state *state, const char *name, const char *domain,
                    int class_, int type, unsigned char *answer, int size)
{
  struct question question;
  memset(&question, 0, sizeof question);
  question.kind = kind;
  question.first = name == NULL ? "" : name;
  question.first_length = strlen(question.first);
  question.second = domain;
  question.second_length = domain == NULL ? 0 : strlen(domain);
  question.class_ = class_;
  question.type = type;
  question.answer = answer;
  question.size = size;
  return work(&question, state);
}

static int make_query(struct __res_state *state, int op, const char *name, int class_, int type,
                      unsigned char *out, int size)
{
  struct question question;
  memset(&question, 0, sizeof question);
  question.kind = DO_MAKE_QUERY;
  question.op = op;
  question.first = name == NULL ? "" : name;
  question.first_length = strlen(question.first);
  question.class_ = class_;
  question.type = type;
  question.answer = out;
  question.size = size;
  return work(&question, state);
}

static int send_query(struct __res_state *state, const unsigned char *message, int length,
                      unsigned char *answer, int size)
{
  struct question question;
  memset(&question, 0, sizeof question);
  question.kind = DO_SEND;
  question.first = message;
  question.first_length = message != NULL && length > 0 ? (size_t)length : 0;
  question.answer = answer;
  question.size = size;
  return work(&question, state);
}

static int initialise(enum kind kind, struct __res_state *state)
{
  struct question question;
  memset(&question, 0, sizeof question);
  question.kind = kind;
  return work(&question, state);
}

/* ---- what programs call ---- */

#if __GNUC__ >= 9
/* The headers say of some that they don't throw, of the plain names only. */
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif

#define BOTH(plain, arguments) \
  EXPORT int __##plain arguments __attribute__((alias(#plain)))
/* A static libc defines these in objects that it needs for other reasons: there its own must win. */
#define BOTH_WEAK(plain, arguments) \
  EXPORT int __##plain arguments __attribute__((weak, alias(#plain)))

EXPORT int res_init(void)
{
  return initialise(DO_INIT, NULL);
}
BOTH_WEAK(res_init, (void));

EXPORT int res_ninit(res_state state)
{
  return initialise(DO_NINIT, state);
}
BOTH_WEAK(res_ninit, (res_state));

EXPORT int res_query(const char *name, int class_, int type, unsigned char *answer, int size)
{
  return ask_name(DO_QUERY, NULL, name, NULL, class_, type, answer, size);
}
BOTH(res_query, (const char *, int, int, unsigned char *, int));

EXPORT int res_nquery(res_state state, const char *name, int class_, int type, unsigned char *answer,
                      int size)
{
  return ask_name(DO_QUERY, state, name, NULL, class_, type, answer, size);
}
BOTH(res_nquery, (res_state, const char *, int, int, unsigned char *, int));

EXPORT int res_search(const char *name, int class_, int type, unsigned char *answer, int size)
{
  return ask_name(DO_SEARCH, NULL, name, NULL, class_, type, answer, size);
}
BOTH(res_search, (const char *, int, int, unsigned char *, int));

EXPORT int res_nsearch(res_state state, const char *name, int class_, int type,
                       unsigned char *answer, int size)
{
  return ask_name(DO_SEARCH, state, name, NULL, class_, type, answer, size);
}
BOTH(res_nsearch, (res_state, const char *, int, int, unsigned char *, int));

EXPORT int res_querydomain(const char *name, const char *domain, int class_, int type,
                           unsigned char *answer, int size)
{
  return ask_name(DO_QUERY_DOMAIN, NULL, name, domain, class_, type, answer, size);
}
BOTH(res_querydomain, (const char *, const char *, int, int, unsigned char *, int));

EXPORT int res_nquerydomain(res_state state, const char *name, const char *domain, int class_,
                            int type, unsigned char *answer, int size)
{
  return ask_name(DO_QUERY_DOMAIN, state, name, domain, class_, type, answer, size);
}
BOTH(res_nquerydomain, (res_state, const char *, const char *, int, int, unsigned char *, int));

EXPORT int res_mkquery(int op, const char *name, int class_, int type, const unsigned char *data,
                       int length, const unsigned char *newrr, unsigned char *out, int size)
{
  (void)data, (void)length, (void)newrr;
  return make_query(NULL, op, name, class_, type, out, size);
}
BOTH(res_mkquery, (int, const char *, int, int, const unsigned char *, int, const unsigned char *,
                   unsigned char *, int));

EXPORT int res_nmkquery(res_state state, int op, const char *name, int class_, int type,
                        const unsigned char *data, int length, const unsigned char *newrr,
                        unsigned char *out, int size)
{
  (void)data, (void)length, (void)newrr;
  return make_query(state, op, name, class_, type, out, size);
}
BOTH(res_nmkquery, (res_state, int, const char *, int, int, const unsigned char *, int,
                    const unsigned char *, unsigned char *, int));

EXPORT int res_send(const unsigned char *message, int length, unsigned char *answer, int size)
{
  return send_query(NULL, message, length, answer, size);
}
BOTH(res_send, (const unsigned char *, int, unsigned char *, int));

EXPORT int res_nsend(res_state state, const unsigned char *message, int length,
                     unsigned char *answer, int size)
{
  return send_query(state, message, length, answer, size);
}
BOTH(res_nsend, (res_state, const unsigned char *, int, unsigned char *, int));

/* Weak: a static libc defines it in an object that it needs for every thread. */
EXPORT __attribute__((weak)) void __res_nclose(res_state state)
{
  void (*next)(struct __res_state *);
  void *found;
  struct entry entry;
  entry_begin(&entry);
  found = dlsym(RTLD_NEXT, "__res_nclose");
  memcpy(&next, &found, sizeof next);
  state_close(state, next);
  entry_end(&entry);
}
