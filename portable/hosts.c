/* gethostbyname, gethostbyaddr, gethostent and their relatives (gethostbyname(3)). */

#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>

#include "portable.h"

/* ---- hosts of the core ---- */

void host_read(struct instance *instance, struct host *host)
{
  struct reply reply = core_reply(instance);
  host->name = reply_octets(&reply, &host->name_length);
  host->aliases = reply_octets(&reply, &host->aliases_length);
  host->ttl = reply_number(&reply);
  host->address_count = reply_number(&reply);
  host->addresses = reply_raw(&reply, (size_t)host->address_count * ADDRESS_LENGTH);
}

static size_t alias_count(const struct host *host)
{
  size_t count = 0;
  uint32_t i;
  for (i = 0; i < host->aliases_length; i++)
    count += host->aliases[i] == 0;
  return count;
}

static int is_ipv4(const struct host *host)
{
  struct address first;
  if (host->address_count == 0)
    return 0;
  address_read(host->addresses, &first);
  return first.family == 4;
}

static size_t host_size(const struct host *host)
{
  return (alias_count(host) + host->address_count + 2) * sizeof(char *) +
         (size_t)host->address_count * (is_ipv4(host) ? 4 : 16) + host->name_length + 1 +
         host->aliases_length;
}

size_t host_room(const struct host *host)
{
  return host_size(host) + sizeof(char *);
}

/* In this order: the aliases' and the addresses' pointers, each ended by null; the addresses; the
   name; the aliases. */
int host_pack(const struct host *host, struct hostent *out, char *buffer, size_t length)
{
  size_t pad = -(uintptr_t)buffer % sizeof(char *), aliases = alias_count(host), i, written = 0;
  size_t address_length = is_ipv4(host) ? 4 : 16;
  char **alias_list, **address_list, *place;
  struct hostent made;
  if (length < pad || host_size(host) > length - pad)
    return 0;
  alias_list = (char **)(void *)(buffer + pad);
  address_list = alias_list + aliases + 1;
  place = (char *)(address_list + host->address_count + 1);
  for (i = 0; i < host->address_count; i++) {
    struct address address;
    address_read(host->addresses + i * ADDRESS_LENGTH, &address);
    if ((address.family == 4) != (address_length == 4))
      continue; /* a host's addresses are of one family */
    memcpy(place, address.octets, address_length);
    address_list[written++] = place;
    place += address_length;
  }
  address_list[written] = NULL;
  memcpy(place, host->name, host->name_length);
  place[host->name_length] = '\0';
  made.h_name = place;
  place += host->name_length + 1;
  memcpy(place, host->aliases, host->aliases_length);
  for (i = 0; i < aliases; i++) {
    alias_list[i] = place;
    place += strlen(place) + 1;
  }
  alias_list[aliases] = NULL;
  made.h_aliases = alias_list;
  made.h_addrtype = address_length == 4 ? AF_INET : AF_INET6;
  made.h_length = (int)address_length;
  made.h_addr_list = address_list;
  memcpy(out, &made, sizeof made); /* at any address */
  return 1;
}

/* ---- questions ---- */

static int ask_by_name(struct instance *instance, const struct host_query *query, uint32_t room,
                       uint32_t length)
{
  int family = family_number(query->family);
  int number;
  if (query->question == DNS_BY_NAME)
    return (int)Z_rustdnsZ_dns_by_name(&instance->core, room, length, (uint32_t)family);
  /* As in libc, numbers are IPv4 addresses whatever else is asked for. */
  number = (int)Z_rustdnsZ_host_by_number(&instance->core, room, length,
                                          family <= 0 ? 4 : (uint32_t)family);
  if (number >= 0)
    return number;
  if (family <= 0)
    return HOST_FAMILY;
  return (int)Z_rustdnsZ_host_by_name(&instance->core, room, length, (uint32_t)family);
}

static int ask(struct instance *instance, void *argument)
{
  struct host_query *query = argument;
  int by_name = query->question == BY_NAME || query->question == DNS_BY_NAME, result;
  uint32_t length = by_name ? (uint32_t)strlen(query->name) : ADDRESS_LENGTH;
  uint32_t room = core_room(instance, (size_t)length + 1);
  struct reply reply;
  struct host host;
  if (room == 0)
    return CORE_NO_MEMORY;
  if (by_name) {
    memcpy(core_octets(&instance->system, room, length), query->name, length);
    result = ask_by_name(instance, query, room, length);
  } else {
    address_write(&query->address, core_octets(&instance->system, room, length));
    result = (int)(query->question == BY_ADDRESS ? Z_rustdnsZ_host_by_address(&instance->core, room)
                                                 : Z_rustdnsZ_dns_by_address(&instance->core, room));
  }
  if (result == HOST_FAMILY)
    return result;
  if (result != 0) {
    reply = core_reply(instance);
    query->core_errno = (int32_t)reply_number(&reply);
    return result;
  }
  host_read(instance, &host);
  return query->take(&host, query->argument) ? 0 : HOST_TOO_LARGE;
}

int host_ask(struct host_query *query)
{
  int result = with_core(ANY, NULL, ask, query);
  return result == CORE_NO_MEMORY ? HOST_NO_MEMORY : result;
}
