/* The NSS module: what libc calls where nsswitch.conf's line for hosts has `rustdns` (nss(5)).

   It is the DNS, with search list, cache and hedging, and nothing else. All functions return an
   nss_status; where that isn't success they tell errno and h_errno by the pointers that they are
   given, and leave the buffer as it was. */

#define _GNU_SOURCE
#include <errno.h>
#include <nss.h>
#include <sys/socket.h>

#include "portable.h"

/* ---- what is told ---- */

struct told {
  enum nss_status status;
  int error, h_error;
};

static struct told tell(enum nss_status status, int error, int h_error)
{
  struct told told;
  told.status = status;
  told.error = error;
  told.h_error = h_error;
  return told;
}

static struct told outcome(int result, int32_t core_errno)
{
  switch (result) {
  case 0:
    return tell(NSS_STATUS_SUCCESS, 0, 0);
  case HOST_NO_NAME:
    return tell(NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND);
  case HOST_NO_DATA:
    return tell(NSS_STATUS_NOTFOUND, ENOENT, NO_DATA);
  case HOST_UNRELATED:
  case HOST_REFUSED:
    return tell(NSS_STATUS_NOTFOUND, ENOENT, NO_RECOVERY);
  case HOST_AGAIN:
    return tell(NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN);
  case HOST_UNAVAILABLE:
    return tell(NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY);
  case HOST_NO_SERVICE:
    return tell(NSS_STATUS_UNAVAIL, system_errno(core_errno), NO_RECOVERY);
  case HOST_NO_MEMORY:
    return tell(NSS_STATUS_TRYAGAIN, ENOMEM, NETDB_INTERNAL);
  case HOST_SYSTEM:
    return tell(NSS_STATUS_UNAVAIL, system_errno(core_errno), NETDB_INTERNAL);
  case HOST_TOO_LARGE: /* the caller comes again with a larger buffer */
    return tell(NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL);
  case HOST_FAMILY:
    return tell(NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NETDB_INTERNAL);
  default: /* a bug of ours */
    return tell(NSS_STATUS_UNAVAIL, EIO, NO_RECOVERY);
  }
}

/* ---- the work ---- */

struct caller {
  char *buffer;
  size_t length;
  struct hostent *host;
  struct gaih_addrtuple **tuple;
  char **name;
  int32_t *ttl;
};

/* The buffer from its first place of an alignment on; null where it has no room of this size. */
static char *aligned(const struct caller *caller, size_t alignment, size_t need)
{
  size_t pad = -(uintptr_t)caller->buffer % alignment;
  return caller->length < pad || caller->length - pad < need ? NULL : caller->buffer + pad;
}

static char *copy_name(const struct host *host, char *place)
{
  memcpy(place, host->name, host->name_length);
  place[host->name_length] = '\0';
  return place;
}

/* Addresses, each with the name. */
static int take_tuples(const struct host *host, void *argument)
{
  struct caller *caller = argument;
  size_t tuples = host->address_count * sizeof(struct gaih_addrtuple);
  char *place = aligned(caller, __alignof__(struct gaih_addrtuple), tuples + host->name_length + 1);
  struct gaih_addrtuple *list = (struct gaih_addrtuple *)(void *)place;
  uint32_t i;
  char *name;
  if (place == NULL)
    return 0;
  name = copy_name(host, place + tuples);
  memset(list, 0, tuples);
  for (i = 0; i < host->address_count; i++) {
    struct address address;
    address_read(host->addresses + i * ADDRESS_LENGTH, &address);
    list[i].next = i + 1 < host->address_count ? &list[i + 1] : NULL;
    list[i].name = name;
    list[i].family = address.family == 4 ? AF_INET : AF_INET6;
    memcpy(list[i].addr, address.octets, address.family == 4 ? 4 : 16);
    list[i].scopeid = address.scope;
  }
  if (*caller->tuple == NULL)
    *caller->tuple = list;
  else
    **caller->tuple = *list;
  return 1;
}

static int take_host(const struct host *host, void *argument)
{
  struct caller *caller = argument;
  struct hostent made;
  if (!host_pack(host, &made, caller->buffer, caller->length))
    return 0;
  *caller->host = made;
  if (caller->name != NULL)
    *caller->name = made.h_name;
  return 1;
}

static int take_name(const struct host *host, void *argument)
{
  struct caller *caller = argument;
  char *place = aligned(caller, 1, host->name_length + 1);
  if (place == NULL)
    return 0;
  *caller->name = copy_name(host, place);
  return 1;
}

struct taking {
  int (*take)(const struct host *, void *);
  struct caller *caller;
};

static int take(const struct host *host, void *argument)
{
  struct taking *taking = argument;
  if (!taking->take(host, taking->caller))
    return 0;
  if (taking->caller->ttl != NULL && host->ttl != NONE)
    *taking->caller->ttl = host->ttl < INT32_MAX ? (int32_t)host->ttl : INT32_MAX;
  return 1;
}

/* refused: why the core is not asked at all, or 0. */
static enum nss_status answer(struct host_query *query, int refused,
                              int (*take_this)(const struct host *, void *), struct caller *caller,
                              int *errnop, int *h_errnop)
{
  struct taking taking = {take_this, caller};
  struct entry entry;
  struct told told;
  entry_begin(&entry);
  query->take = take;
  query->argument = &taking;
  told = outcome(refused != 0 ? refused : host_ask(query), query->core_errno);
  entry_end(&entry);
  /* errnop is libc's own errno as a rule, so it is set last. Python and others look at the thread's
     h_errno too. */
  if (told.status != NSS_STATUS_SUCCESS)
    *errnop = told.error;
  *h_errnop = told.h_error;
  h_errno = told.h_error;
  return told.status;
}

/* ---- what libc calls ---- */

static int name_query(struct host_query *query, const char *name, int family)
{
  memset(query, 0, sizeof *query);
  query->question = DNS_BY_NAME;
  query->name = name;
  query->family = family;
  return name == NULL ? HOST_NO_NAME : family_number(family) < 0 ? HOST_FAMILY : 0;
}

EXPORT enum nss_status _nss_rustdns_gethostbyname4_r(const char *name, struct gaih_addrtuple **tuple,
                                                     char *buffer, size_t length, int *errnop,
                                                     int *h_errnop, int32_t *ttl)
{
  struct caller caller = {buffer, length, NULL, tuple, NULL, ttl};
  struct host_query query;
  int refused = name_query(&query, name, AF_UNSPEC);
  return answer(&query, refused, take_tuples, &caller, errnop, h_errnop);
}

EXPORT enum nss_status _nss_rustdns_gethostbyname3_r(const char *name, int family,
                                                     struct hostent *host, char *buffer,
                                                     size_t length, int *errnop, int *h_errnop,
                                                     int32_t *ttl, char **canonical)
{
  struct caller caller = {buffer, length, host, NULL, canonical, ttl};
  struct host_query query;
  int refused = name_query(&query, name, family);
  if (family == AF_UNSPEC)
    refused = HOST_FAMILY;
  return answer(&query, refused, take_host, &caller, errnop, h_errnop);
}

EXPORT enum nss_status _nss_rustdns_gethostbyname2_r(const char *name, int family,
                                                     struct hostent *host, char *buffer,
                                                     size_t length, int *errnop, int *h_errnop)
{
  return _nss_rustdns_gethostbyname3_r(name, family, host, buffer, length, errnop, h_errnop, NULL,
                                       NULL);
}

EXPORT enum nss_status _nss_rustdns_gethostbyname_r(const char *name, struct hostent *host,
                                                    char *buffer, size_t length, int *errnop,
                                                    int *h_errnop)
{
  return _nss_rustdns_gethostbyname3_r(name, AF_INET, host, buffer, length, errnop, h_errnop, NULL,
                                       NULL);
}

EXPORT enum nss_status _nss_rustdns_gethostbyaddr2_r(const void *address, socklen_t address_length,
                                                     int family, struct hostent *host, char *buffer,
                                                     size_t length, int *errnop, int *h_errnop,
                                                     int32_t *ttl)
{
  struct caller caller = {buffer, length, host, NULL, NULL, ttl};
  struct host_query query;
  int refused = HOST_FAMILY;
  memset(&query, 0, sizeof query);
  query.question = DNS_BY_ADDRESS;
  if ((family == AF_INET && address_length >= 4) || (family == AF_INET6 && address_length >= 16)) {
    query.address.family = family == AF_INET ? 4 : 6;
    memcpy(query.address.octets, address, family == AF_INET ? 4 : 16);
    refused = 0;
  }
  return answer(&query, refused, take_host, &caller, errnop, h_errnop);
}

EXPORT enum nss_status _nss_rustdns_gethostbyaddr_r(const void *address, socklen_t address_length,
                                                    int family, struct hostent *host, char *buffer,
                                                    size_t length, int *errnop, int *h_errnop)
{
  return _nss_rustdns_gethostbyaddr2_r(address, address_length, family, host, buffer, length, errnop,
                                       h_errnop, NULL);
}

EXPORT enum nss_status _nss_rustdns_getcanonname_r(const char *name, char *buffer, size_t length,
                                                   char **result, int *errnop, int *h_errnop)
{
  struct caller caller = {buffer, length, NULL, NULL, result, NULL};
  struct host_query query;
  int refused = name_query(&query, name, AF_UNSPEC);
  return answer(&query, refused, take_name, &caller, errnop, h_errnop);
}
