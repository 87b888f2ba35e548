/* getaddrinfo, freeaddrinfo and getnameinfo (POSIX.1-2024, getaddrinfo(3), getnameinfo(3)), under these
   names and the library's own (rustdns.h). */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "portable.h"
#include "kernel.h"

/* ---- codes ---- */

/* The core's errors in its order, from 1. */
enum { SYSTEM = 12 };

int eai_code(int result)
{
  static const int codes[] = {0,          EAI_NONAME,   EAI_NODATA,   EAI_ADDRFAMILY, EAI_AGAIN,
                              EAI_FAMILY, EAI_SOCKTYPE, EAI_SERVICE,  EAI_BADFLAGS,   EAI_MEMORY,
                              EAI_OVERFLOW, EAI_IDN_ENCODE, EAI_SYSTEM};
  if (result == CORE_NO_MEMORY)
    return EAI_MEMORY;
  if (result < 0 || (size_t)result >= sizeof codes / sizeof *codes)
    return EAI_FAIL;
  return codes[result];
}

/* The bits that are set in flags, in the order of a table. */
static uint32_t translate_flags(int flags, const int *table, size_t count)
{
  uint32_t bits = 0;
  size_t i;
  for (i = 0; i < count; i++)
    if (flags & table[i])
      bits |= 1u << i;
  return bits;
}

static const int socktypes[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_DCCP};
#define SOCKTYPES (sizeof socktypes / sizeof *socktypes)

static uint32_t socktype_number(int socktype)
{
  uint32_t i;
  for (i = 0; i < SOCKTYPES; i++)
    if (socktypes[i] == socktype)
      return i;
  return SOCKTYPES; /* any other */
}

/* ---- lists ---- */

/* A node and its address, as libc has them: one malloc each, and one for the canonical name, so that
   either library's freeaddrinfo() frees a list. */
struct node {
  struct addrinfo info;
  union {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address;
};

void do_freeaddrinfo(struct addrinfo *list)
{
  while (list != NULL) {
    struct addrinfo *next = list->ai_next;
    free(list->ai_canonname);
    free(list);
    list = next;
  }
}

static struct addrinfo *make_node(const struct address *address, const uint8_t endpoint[12], int flags)
{
  struct address with_port = *address;
  uint32_t numbers[3];
  struct node *node = malloc(sizeof *node);
  if (node == NULL)
    return NULL;
  memset(node, 0, sizeof *node);
  memcpy(numbers, endpoint, sizeof numbers);
  with_port.port = (uint16_t)numbers[2];
  node->info.ai_flags = flags;
  node->info.ai_family = address->family == 4 ? AF_INET : AF_INET6;
  node->info.ai_socktype = numbers[0] < SOCKTYPES ? socktypes[numbers[0]] : 0;
  node->info.ai_protocol = (int)numbers[1];
  node->info.ai_addrlen = address_to(&with_port, &node->address);
  node->info.ai_addr = (struct sockaddr *)&node->address;
  return &node->info;
}

/* For each address, in order, a node for each endpoint. Null where there is no memory. */
static struct addrinfo *make_list(struct reply *reply, int flags)
{
  struct addrinfo *first = NULL, **end = &first;
  uint32_t name_length = reply_number(reply), endpoints, addresses, i, j;
  const uint8_t *name = name_length == NONE ? NULL : reply_raw(reply, name_length);
  const uint8_t *endpoint, *place;
  endpoints = reply_number(reply);
  endpoint = reply_raw(reply, (size_t)endpoints * 12);
  addresses = reply_number(reply);
  place = reply_raw(reply, (size_t)addresses * ADDRESS_LENGTH);
  for (i = 0; i < addresses; i++) {
    struct address address;
    address_read(place + i * ADDRESS_LENGTH, &address);
    for (j = 0; j < endpoints; j++) {
      *end = make_node(&address, endpoint + j * 12, flags);
      if (*end == NULL)
        goto no_memory;
      end = &(*end)->ai_next;
    }
  }
  if (name != NULL && first != NULL) {
    first->ai_canonname = malloc((size_t)name_length + 1);
    if (first->ai_canonname == NULL)
      goto no_memory;
    memcpy(first->ai_canonname, name, name_length);
    first->ai_canonname[name_length] = '\0';
  }
  return first;
no_memory:
  do_freeaddrinfo(first);
  return NULL;
}

/* ---- getaddrinfo ---- */

struct forward {
  const char *node, *service;
  uint32_t flags, family, socktype;
  int32_t protocol;
  int given_flags;
  struct addrinfo *list;
  int32_t core_errno;
};

static int ask_forward(struct instance *instance, void *argument)
{
  struct forward *asked = argument;
  uint32_t node_length = asked->node == NULL ? NONE : (uint32_t)strlen(asked->node);
  uint32_t service_length = asked->service == NULL ? NONE : (uint32_t)strlen(asked->service);
  uint32_t first = asked->node == NULL ? 0 : node_length;
  uint32_t second = asked->service == NULL ? 0 : service_length;
  uint32_t room = core_room(instance, (size_t)first + second + 1), result;
  struct reply reply;
  if (room == 0)
    return CORE_NO_MEMORY;
  if (first != 0)
    memcpy(core_octets(&instance->system, room, first), asked->node, first);
  if (second != 0)
    memcpy(core_octets(&instance->system, room + first, second), asked->service, second);
  result = Z_rustdnsZ_getaddrinfo(&instance->core, room, node_length, room + first, service_length,
                                  asked->flags, asked->family, asked->socktype,
                                  (uint32_t)asked->protocol);
  reply = core_reply(instance);
  if (result != 0) {
    asked->core_errno = (int32_t)reply_number(&reply);
    return (int)result;
  }
  asked->list = make_list(&reply, asked->given_flags);
  return asked->list == NULL ? CORE_NO_MEMORY : 0;
}

/* The hints as the core takes them; an EAI_* code for those that libc refuses. */
static int read_hints(const struct addrinfo *hints, struct forward *asked)
{
  static const int flags[] = {AI_PASSIVE,   AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_V4MAPPED,
                              AI_ALL,       AI_ADDRCONFIG, AI_IDN,        AI_CANONIDN};
  /* AI_IDN_ALLOW_UNASSIGNED and AI_IDN_USE_STD3_ASCII_RULES: accepted, without meaning. */
  int known = 0x100 | 0x200, family;
  struct addrinfo given;
  size_t i;
  memset(&given, 0, sizeof given);
  given.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
  if (hints != NULL)
    memcpy(&given, hints, sizeof given);
  for (i = 0; i < sizeof flags / sizeof *flags; i++)
    known |= flags[i];
  if ((given.ai_flags & ~known) != 0 || (given.ai_flags & AI_CANONNAME && asked->node == NULL))
    return EAI_BADFLAGS;
  family = family_number(given.ai_family);
  if (family < 0)
    return EAI_FAMILY;
  asked->flags = translate_flags(given.ai_flags, flags, sizeof flags / sizeof *flags);
  asked->family = (uint32_t)family;
  asked->socktype = socktype_number(given.ai_socktype);
  asked->protocol = given.ai_protocol;
  asked->given_flags = given.ai_flags;
  return 0;
}

/* "*" stands for none. */
static const char *text_or_none(const char *text)
{
  return text != NULL && strcmp(text, "*") == 0 ? NULL : text;
}

int do_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **result, int32_t *core_errno)
{
  struct forward asked;
  int code;
  memset(&asked, 0, sizeof asked);
  asked.node = text_or_none(node);
  asked.service = text_or_none(service);
  if (asked.node == NULL && asked.service == NULL)
    return EAI_NONAME;
  code = read_hints(hints, &asked);
  if (code != 0)
    return code;
  code = eai_code(with_core(ANY, NULL, ask_forward, &asked));
  if (code == 0)
    memcpy(result, &asked.list, sizeof asked.list);
  *core_errno = asked.core_errno;
  return code;
}

EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **result)
{
  struct entry entry;
  int32_t core_errno = 0;
  int code;
  entry_begin(&entry);
  code = do_getaddrinfo(node, service, hints, result, &core_errno);
  if (code == EAI_SYSTEM)
    entry_end_with(&entry, core_errno);
  else
    entry_end(&entry);
  return code;
}

EXPORT int rustdns_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **)
    __attribute__((alias("getaddrinfo")));

EXPORT void freeaddrinfo(struct addrinfo *list)
{
  struct entry entry;
  entry_begin(&entry);
  do_freeaddrinfo(list);
  entry_end(&entry);
}

EXPORT void rustdns_freeaddrinfo(struct addrinfo *list)
{
  freeaddrinfo(list);
}

/* ---- getnameinfo ---- */

struct reverse {
  const void *octets; /* an address in the core's form, or a path */
  uint32_t length, is_local, flags, wanted;
  char *host, *service;
  socklen_t host_length, service_length;
  int32_t core_errno;
};

static int hand_over(struct reply *reply, char *place, socklen_t room)
{
  uint32_t length;
  const uint8_t *text = reply_octets(reply, &length);
  if (length >= room)
    return 0;
  memcpy(place, text, length);
  place[length] = '\0';
  return 1;
}

static int ask_reverse(struct instance *instance, void *argument)
{
  enum { OVERFLOW_ = 10 };
  struct reverse *asked = argument;
  uint32_t room = core_room(instance, (size_t)asked->length + 1), result;
  struct reply reply;
  if (room == 0)
    return CORE_NO_MEMORY;
  memcpy(core_octets(&instance->system, room, asked->length), asked->octets, asked->length);
  result = Z_rustdnsZ_getnameinfo(&instance->core, room, asked->length, asked->is_local,
                                  asked->flags, asked->wanted);
  reply = core_reply(instance);
  if (result != 0) {
    asked->core_errno = (int32_t)reply_number(&reply);
    return (int)result;
  }
  if ((asked->wanted & 1) != 0 && !hand_over(&reply, asked->host, asked->host_length))
    return OVERFLOW_;
  if ((asked->wanted & 2) != 0 && !hand_over(&reply, asked->service, asked->service_length))
    return OVERFLOW_;
  return 0;
}

/* The socket address in the core's form, or the path of a local one; 0 where it is neither. */
static int read_name(const struct sockaddr *sa, socklen_t length, uint8_t place[ADDRESS_LENGTH],
                     struct reverse *asked)
{
  const size_t path_at = offsetof(struct sockaddr_un, sun_path);
  struct address address;
  sa_family_t family;
  if (address_of(sa, length, &address)) {
    address_write(&address, place);
    asked->octets = place;
    asked->length = ADDRESS_LENGTH;
    return 1;
  }
  memcpy(&family, (const char *)sa + offsetof(struct sockaddr, sa_family), sizeof family);
  if (family != AF_UNIX || length < path_at)
    return 0;
  asked->is_local = 1;
  asked->octets = (const char *)sa + path_at;
  asked->length = (uint32_t)text_length(asked->octets, length - path_at);
  return 1;
}

int do_getnameinfo(const struct sockaddr *sa, socklen_t length, char *host, socklen_t host_length,
                   char *service, socklen_t service_length, int flags, int32_t *core_errno)
{
  /* NI_NUMERICSCOPE, which older headers lack, and two that are accepted without meaning. */
  enum { NUMERICSCOPE = 256, DEPRECATED = 64 | 128 };
  static const int table[] = {NI_NUMERICHOST, NI_NUMERICSERV, NI_NOFQDN, NI_NAMEREQD,
                              NI_DGRAM,       NI_IDN,         NUMERICSCOPE};
  int known = DEPRECATED, code;
  uint8_t place[ADDRESS_LENGTH];
  struct reverse asked;
  size_t i;
  memset(&asked, 0, sizeof asked);
  for (i = 0; i < sizeof table / sizeof *table; i++)
    known |= table[i];
  if ((flags & ~known) != 0)
    return EAI_BADFLAGS;
  if (sa == NULL || length < sizeof(sa_family_t))
    return EAI_FAMILY;
  if (flags & NI_NAMEREQD && host == NULL && service == NULL)
    return EAI_NONAME;
  if (!read_name(sa, length, place, &asked))
    return EAI_FAMILY;
  asked.flags = translate_flags(flags, table, sizeof table / sizeof *table);
  asked.host = host;
  asked.host_length = host_length;
  asked.service = service;
  asked.service_length = service_length;
  asked.wanted = (host != NULL && host_length > 0 ? 1 : 0) |
                 (service != NULL && service_length > 0 ? 2 : 0);
  if (asked.wanted == 0)
    return 0;
  code = eai_code(with_core(ANY, NULL, ask_reverse, &asked));
  *core_errno = asked.core_errno;
  return code;
}

EXPORT int getnameinfo(const struct sockaddr *sa, socklen_t length, char *host, socklen_t host_length,
                       char *service, socklen_t service_length, int flags)
{
  struct entry entry;
  int32_t core_errno = 0;
  int code;
  entry_begin(&entry);
  code = do_getnameinfo(sa, length, host, host_length, service, service_length, flags, &core_errno);
  if (code == EAI_SYSTEM)
    entry_end_with(&entry, core_errno);
  else
    entry_end(&entry);
  return code;
}
EXPORT int rustdns_getnameinfo(const struct sockaddr *, socklen_t, char *, socklen_t, char *,
                               socklen_t, int) __attribute__((alias("getnameinfo")));
