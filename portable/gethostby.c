/* gethostbyname, gethostbyname2, gethostbyaddr, gethostent and their _r forms (gethostbyname(3)). */

#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>

#include "portable.h"

/* ---- why there is no host ---- */

struct no_host {
  int h_error, code;
  /* What errno is set to; -1 leaves it alone. */
  int error_number;
};

static struct no_host because(int h_error, int error)
{
  struct no_host no_host;
  no_host.h_error = h_error;
  no_host.code = no_host.error_number = error;
  return no_host;
}

static struct no_host none(void)
{
  struct no_host no_host = because(HOST_NOT_FOUND, ENOENT);
  no_host.error_number = -1;
  return no_host;
}

static struct no_host reason(int result, int32_t core_errno, int of_address)
{
  switch (result) {
  case 0:
    return because(0, 0);
  case HOST_NO_NAME:
  case HOST_UNAVAILABLE:
    return because(HOST_NOT_FOUND, 0);
  case HOST_NO_DATA:
    return because(NO_DATA, 0);
  case HOST_AGAIN: /* of an address, trouble is not passed on by code, as in libc */
    return because(TRY_AGAIN, of_address ? 0 : EAGAIN);
  case HOST_UNRELATED:
    return because(NO_RECOVERY, of_address ? 0 : EAGAIN);
  case HOST_REFUSED:
    return because(NO_RECOVERY, 0);
  case HOST_NO_MEMORY:
    return because(NETDB_INTERNAL, ENOMEM);
  case HOST_NO_SERVICE:
  case HOST_SYSTEM:
    return because(NETDB_INTERNAL, system_errno(core_errno));
  case HOST_TOO_LARGE:
    return because(NETDB_INTERNAL, ERANGE);
  case HOST_FAMILY:
    return because(of_address ? NETDB_INTERNAL : NO_DATA, EAFNOSUPPORT);
  default:
    return because(NO_RECOVERY, 0);
  }
}

/* ---- questions ---- */

static void by_name(struct host_query *query, const char *name, int family)
{
  memset(query, 0, sizeof *query);
  query->question = BY_NAME;
  query->name = name == NULL ? "" : name;
  query->family = family;
}

/* 0 where it can be asked, else why not. */
static int by_address(struct host_query *query, const void *address, socklen_t length, int family)
{
  static const char unspecified[16];
  memset(query, 0, sizeof *query);
  query->question = BY_ADDRESS;
  if (address == NULL)
    return HOST_FAMILY;
  if (length == 16 && memcmp(address, unspecified, 16) == 0)
    return -1;
  if ((family != AF_INET || length < 4) && (family != AF_INET6 || length < 16))
    return HOST_FAMILY;
  query->address.family = family == AF_INET ? 4 : 6;
  memcpy(query->address.octets, address, family == AF_INET ? 4 : 16);
  return 0;
}

/* ---- memory of the functions' own, one place each, as in libc ---- */

enum owner { OWN_NAME, OWN_NAME2, OWN_ADDRESS, OWN_ENTRY, OWNERS };

/* It grows; what it was before stays, for another thread may still read it. */
struct block {
  struct hostent host;
  struct block *smaller;
  size_t room;
  char octets[];
};

static struct block *kept[OWNERS];

static int keep(const struct host *host, void *argument)
{
  struct block **place = argument;
  struct block *old = __atomic_load_n(place, __ATOMIC_ACQUIRE), *block = old;
  size_t need = host_room(host);
  if (old == NULL || need > old->room) {
    size_t room = old == NULL ? 1024 : 2 * old->room;
    room = room < need ? need : room;
    block = malloc(sizeof *block + room);
    if (block == NULL)
      return 0;
    block->smaller = old;
    block->room = room;
    __atomic_store_n(place, block, __ATOMIC_RELEASE);
  }
  return host_pack(host, &block->host, block->octets, block->room);
}

static struct hostent *finish_kept(struct entry *entry, enum owner owner, int result,
                                   const struct no_host *no_host)
{
  if (result == 0) {
    entry_end(entry);
    return &__atomic_load_n(&kept[owner], __ATOMIC_ACQUIRE)->host;
  }
  h_errno = no_host->h_error;
  if (no_host->error_number >= 0)
    entry_end_with(entry, no_host->error_number);
  else
    entry_end(entry);
  return NULL;
}

static struct hostent *ask_kept(struct entry *entry, enum owner owner, struct host_query *query)
{
  struct no_host no_host;
  int result;
  query->take = keep;
  query->argument = &kept[owner];
  result = host_ask(query);
  /* In memory of its own a host is too large for want of memory alone. */
  no_host = reason(result == HOST_TOO_LARGE ? HOST_NO_MEMORY : result, query->core_errno,
                   query->question == BY_ADDRESS);
  return finish_kept(entry, owner, result, &no_host);
}

EXPORT struct hostent *gethostbyname(const char *name)
{
  struct entry entry;
  struct host_query query;
  entry_begin(&entry);
  by_name(&query, name, AF_INET);
  return ask_kept(&entry, OWN_NAME, &query);
}

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
  struct entry entry;
  struct host_query query;
  entry_begin(&entry);
  by_name(&query, name, family);
  return ask_kept(&entry, OWN_NAME2, &query);
}

EXPORT struct hostent *gethostbyaddr(const void *address, socklen_t length, int family)
{
  struct entry entry;
  struct host_query query;
  struct no_host no_host;
  int result;
  entry_begin(&entry);
  result = by_address(&query, address, length, family);
  if (result == 0)
    return ask_kept(&entry, OWN_ADDRESS, &query);
  no_host = result < 0 ? none() : reason(result, 0, 1);
  return finish_kept(&entry, OWN_ADDRESS, result, &no_host);
}

/* ---- the caller's memory ---- */

struct caller {
  struct hostent *host;
  char *buffer;
  size_t length;
};

static int take(const struct host *host, void *argument)
{
  struct caller *caller = argument;
  return host_pack(host, caller->host, caller->buffer, caller->length);
}

/* Says what has come of the call, in all the places where callers look. */
static int finish_taken(struct entry *entry, int result, struct no_host no_host, struct hostent *host,
                        struct hostent **found, int *h_errnop)
{
  struct hostent *const nothing = NULL;
  if (result == 0)
    no_host.h_error = no_host.code = 0;
  else
    h_errno = no_host.h_error;
  memcpy(found, result == 0 ? &host : &nothing, sizeof host);
  memcpy(h_errnop, &no_host.h_error, sizeof no_host.h_error);
  if (no_host.error_number >= 0)
    entry_end_with(entry, no_host.error_number);
  else
    entry_end(entry);
  return no_host.code;
}

static int ask_taken(struct entry *entry, struct host_query *query, struct caller *caller,
                     struct hostent **found, int *h_errnop)
{
  int result;
  query->take = take;
  query->argument = caller;
  result = host_ask(query);
  return finish_taken(entry, result,
                      reason(result, query->core_errno, query->question == BY_ADDRESS),
                      caller->host, found, h_errnop);
}

EXPORT int gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer,
                            size_t length, struct hostent **found, int *h_errnop)
{
  struct caller caller = {host, buffer, length};
  struct entry entry;
  struct host_query query;
  entry_begin(&entry);
  by_name(&query, name, family);
  return ask_taken(&entry, &query, &caller, found, h_errnop);
}

EXPORT int gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t length,
                           struct hostent **found, int *h_errnop)
{
  struct caller caller = {host, buffer, length};
  struct entry entry;
  struct host_query query;
  entry_begin(&entry);
  by_name(&query, name, AF_INET);
  return ask_taken(&entry, &query, &caller, found, h_errnop);
}

EXPORT int gethostbyaddr_r(const void *address, socklen_t address_length, int family,
                           struct hostent *host, char *buffer, size_t length, struct hostent **found,
                           int *h_errnop)
{
  struct caller caller = {host, buffer, length};
  struct entry entry;
  struct host_query query;
  int result;
  entry_begin(&entry);
  result = by_address(&query, address, address_length, family);
  if (result == 0)
    return ask_taken(&entry, &query, &caller, found, h_errnop);
  return finish_taken(&entry, result, result < 0 ? none() : reason(result, 0, 1), host, found,
                      h_errnop);
}

/* ---- the hosts file, host by host ---- */

static int next_entry(struct instance *instance, void *argument)
{
  struct host_query *query = argument;
  int result = (int)Z_rustdnsZ_host_entry(&instance->core);
  struct reply reply;
  struct host host;
  if (result != 0) {
    reply = core_reply(instance);
    query->core_errno = (int32_t)reply_number(&reply);
    return result;
  }
  host_read(instance, &host);
  if (!query->take(&host, query->argument))
    return HOST_TOO_LARGE;
  Z_rustdnsZ_host_entry_taken(&instance->core);
  return 0;
}

/* The next host of the file goes to `taker`. */
static int walk(struct entry *entry, struct host_query *query,
                int (*taker)(const struct host *, void *), void *argument)
{
  entry_begin(entry);
  memset(query, 0, sizeof *query);
  query->take = taker;
  query->argument = argument;
  return with_core(WALKER, NULL, next_entry, query);
}

static struct no_host no_entry(int result, const struct host_query *query)
{
  if (result == CORE_NO_MEMORY)
    result = HOST_NO_MEMORY;
  return result == HOST_NO_NAME ? none() : reason(result, query->core_errno, 0);
}

EXPORT struct hostent *gethostent(void)
{
  struct entry entry;
  struct host_query query;
  struct no_host no_host;
  int result;
  result = walk(&entry, &query, keep, &kept[OWN_ENTRY]);
  no_host = no_entry(result == HOST_TOO_LARGE ? HOST_NO_MEMORY : result, &query);
  return finish_kept(&entry, OWN_ENTRY, result, &no_host);
}

EXPORT int gethostent_r(struct hostent *host, char *buffer, size_t length, struct hostent **found,
                        int *h_errnop)
{
  struct caller caller = {host, buffer, length};
  struct entry entry;
  struct host_query query;
  struct no_host no_host;
  int result;
  result = walk(&entry, &query, take, &caller);
  no_host = no_entry(result, &query);
  if (result == 0)
    no_host.error_number = -1; /* here errno is left alone */
  return finish_taken(&entry, result, no_host, host, found, h_errnop);
}

static int rewind_entries(struct instance *instance, void *argument)
{
  (void)argument;
  Z_rustdnsZ_host_entry_rewind(&instance->core);
  return 0;
}

static void back(void)
{
  struct entry entry;
  entry_begin(&entry);
  with_core(WALKER, NULL, rewind_entries, NULL);
  entry_end(&entry);
}

EXPORT void sethostent(int stay_open)
{
  (void)stay_open; /* nothing is open */
  back();
}

EXPORT void endhostent(void)
{
  back();
}
