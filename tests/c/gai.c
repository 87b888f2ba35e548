/*
 * Calls getaddrinfo and getnameinfo, and prints what they return as text that is stable and easy
 * to compare.
 *
 *   gai [options] NODE SERVICE                 getaddrinfo
 *   gai gni [options] ADDRESS[%SCOPE] PORT     getnameinfo
 *   gai --batch [-e]                           one call a line from standard input, as above
 *   gai --each SECONDS                         the same, each in a process of its own: see each.h
 *
 * NODE and SERVICE: - is NULL, "" is the empty string, \xNN is any byte (a blank is \x20).
 * ADDRESS: IPv4 or IPv6 text, or unix:PATH.
 *
 *   -f FAMILY     unspec, inet, inet6, unix or a number; without -f, -t, -p, -F: as given by zero
 *   -t SOCKTYPE   stream, dgram, raw, seqpacket or a number
 *   -p PROTOCOL   tcp, udp or a number
 *   -F FLAGS      names without AI_ or NI_, or numbers, joined by commas
 *   -N            no hints at all (NULL)
 *   -n THREADS    the call at once in so many threads; all must get the same
 *   -r TIMES      the call so many times one after the other; all must get the same
 *   -h, -s BYTES  (gni) length of the host and the service buffer; 0 is NULL
 *   -l BYTES      (gni) length of the address, if not its own
 *   -e            errno is 7777 before the call, and reported if that changed in a success
 *   --leak        before everything else: afterwards say which descriptors and threads are new
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "each.h"
#include "text.h"

#define GUARD 0xa5
#define MAX_THREADS 64
#define MAX_WORDS 32
#define MAX_BUFFER 4096
#define MAX_ENTRIES 1024

struct call {
    int is_gni, keep_errno, no_hints, threads, times;
    long family, type, protocol, flags;
    long host_length, service_length, address_length;
    const char *node, *service;
};

static void print_nodes(FILE *out, const struct addrinfo *list)
{
    for (const struct addrinfo *node = list; node != NULL; node = node->ai_next) {
        fprintf(out, "  flags=0x%x ", node->ai_flags);
        name_of(out, node->ai_family, families);
        fputc(' ', out);
        name_of(out, node->ai_socktype, types);
        fputc(' ', out);
        name_of(out, node->ai_protocol, protocols);
        fputc(' ', out);
        print_address(out, node->ai_addr, node->ai_addrlen);
        if (node->ai_canonname != NULL) {
            fputs(" canonname=", out);
            escaped(out, node->ai_canonname);
        }
        fputc('\n', out);
    }
}

static void call_gai(FILE *out, const struct call *call)
{
    struct addrinfo hints = {.ai_flags = (int)call->flags,
        .ai_family = (int)call->family,
        .ai_socktype = (int)call->type,
        .ai_protocol = (int)call->protocol};
    struct addrinfo *list = NULL;
    errno = UNTOUCHED;
    int code = getaddrinfo(call->node, call->service, call->no_hints ? NULL : &hints, &list);
    int error = errno;
    print_error(out, code, code == 0 && !call->keep_errno ? UNTOUCHED : error);
    if (code == 0) {
        print_nodes(out, list);
        freeaddrinfo(list);
    }
}

/* Reads ADDRESS and PORT; returns the length of the address. */
static socklen_t parse_address(const struct call *call, struct sockaddr_storage *storage)
{
    char text[256];
    memset(storage, 0, sizeof *storage);
    snprintf(text, sizeof text, "%s", call->node ? call->node : "");
    uint16_t port = htons((uint16_t)number(call->service ? call->service : "0", NULL));
    if (strncmp(text, "unix:", 5) == 0) {
        struct sockaddr_un *un = (void *)storage;
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%.100s", text + 5);
        return sizeof *un;
    }
    char *scope = strchr(text, '%');
    if (scope != NULL)
        *scope++ = '\0';
    struct sockaddr_in *in = (void *)storage;
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = port;
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (void *)storage;
    if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
        die(text);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = port;
    if (scope != NULL) {
        in6->sin6_scope_id = if_nametoindex(scope);
        if (in6->sin6_scope_id == 0)
            in6->sin6_scope_id = (uint32_t)number(scope, NULL);
    }
    return sizeof *in6;
}

static int touched_beyond(const unsigned char *buffer, long length)
{
    for (long i = length; i < MAX_BUFFER; i++)
        if (buffer[i] != GUARD)
            return 1;
    return 0;
}

static void call_gni(FILE *out, const struct call *call)
{
    struct sockaddr_storage address;
    socklen_t length = parse_address(call, &address);
    if (call->address_length >= 0)
        length = (socklen_t)call->address_length;
    if (call->family != 0)
        address.ss_family = (sa_family_t)call->family;
    char host[MAX_BUFFER], service[MAX_BUFFER];
    memset(host, GUARD, sizeof host);
    memset(service, GUARD, sizeof service);
    errno = UNTOUCHED;
    int code = getnameinfo((struct sockaddr *)&address, length,
        call->host_length ? host : NULL, (socklen_t)call->host_length,
        call->service_length ? service : NULL, (socklen_t)call->service_length, (int)call->flags);
    int error = errno;
    print_error(out, code, code == 0 && !call->keep_errno ? UNTOUCHED : error);
    if (touched_beyond((unsigned char *)host, call->host_length) ||
        touched_beyond((unsigned char *)service, call->service_length))
        fputs("  wrote beyond a buffer\n", out);
    if (code == 0 && call->host_length != 0) {
        fputs("  host=", out);
        escaped(out, host);
        fputc('\n', out);
    }
    if (code == 0 && call->service_length != 0) {
        fputs("  service=", out);
        escaped(out, service);
        fputc('\n', out);
    }
}

static void *call_to_text(void *argument)
{
    char *text = NULL;
    size_t length = 0;
    const struct call *call = argument;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        die("no memory");
    (call->is_gni ? call_gni : call_gai)(out, call);
    fclose(out);
    return text;
}

/* One call, or the same one many times. */
static void run(struct call *call)
{
    pthread_t threads[MAX_THREADS];
    char *first = NULL;
    int different = 0;
    for (int round = 0; round < call->times; round++)
        for (int i = 0; i < call->threads; i++) {
            if (call->threads > 1 && i == 0)
                for (int j = 0; j < call->threads; j++)
                    if (pthread_create(&threads[j], NULL, call_to_text, call) != 0)
                        die("no thread");
            void *text;
            if (call->threads > 1)
                pthread_join(threads[i], &text);
            else
                text = call_to_text(call);
            if (first == NULL) {
                first = text;
                continue;
            }
            if (strcmp(first, text) != 0 && different++ == 0)
                printf("another got\n%s", (char *)text);
            free(text);
        }
    fputs(first, stdout);
    if (different != 0)
        printf("%d got something else than this\n", different);
    free(first);
}

/* Returns 0 if the words are no call. */
static int parse(struct call *call, int count, char **words)
{
    *call = (struct call){.threads = 1, .times = 1, .host_length = 1025, .service_length = 32,
        .address_length = -1};
    int i = 0, given = 0;
    if (count > 0 && strcmp(words[0], "gni") == 0)
        call->is_gni = ++i;
    else if (count > 0 && strcmp(words[0], "gai") == 0)
        i++;
    for (; i < count; i++) {
        char *word = words[i], *value = i + 1 < count ? words[i + 1] : NULL;
        if (word[0] != '-' || word[1] == '\0' || given > 0) {
            if (given == 0)
                call->node = unescape(word);
            else
                call->service = unescape(word);
            given++;
            continue;
        }
        if (strcmp(word, "-e") == 0 || strcmp(word, "-N") == 0) {
            *(word[1] == 'e' ? &call->keep_errno : &call->no_hints) = 1;
            continue;
        }
        if (value == NULL || word[2] != '\0')
            return 0;
        i++;
        switch (word[1]) {
        case 'f': call->family = number(value, families); break;
        case 't': call->type = number(value, types); break;
        case 'p': call->protocol = number(value, protocols); break;
        case 'F': call->flags = flags(value, call->is_gni ? ni_flags : ai_flags); break;
        case 'n': call->threads = (int)number(value, NULL); break;
        case 'r': call->times = (int)number(value, NULL); break;
        case 'h': call->host_length = number(value, NULL); break;
        case 's': call->service_length = number(value, NULL); break;
        case 'l': call->address_length = number(value, NULL); break;
        default: return 0;
        }
    }
    return given == 2 && call->threads >= 1 && call->threads <= MAX_THREADS && call->times >= 1 &&
        call->host_length >= 0 && call->host_length <= MAX_BUFFER &&
        call->service_length >= 0 && call->service_length <= MAX_BUFFER;
}

static void batch(int keep_errno)
{
    char *words[MAX_WORDS];
    struct call call;
    for (int count; (count = next_call(words, MAX_WORDS)) > 0;) {
        if (!parse(&call, count, words))
            die("a line is no call");
        call.keep_errno |= keep_errno;
        run(&call);
    }
}

static void make(int count, char **words)
{
    struct call call;
    if (!parse(&call, count, words))
        die("a line is no call");
    run(&call);
}

/* The entries of a folder of /proc, sorted by their number; returns how many. */
static int entries(const char *folder, int *found, int room)
{
    int count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        die(folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir) && count < room)
            found[count++] = atoi(entry->d_name);
    closedir(dir);
    return count;
}

/* Says what is in FOLDER now that was not before. */
static void report(const char *what, const char *folder, const int *before, int had)
{
    int after[MAX_ENTRIES], has = entries(folder, after, MAX_ENTRIES);
    /* A thread that was joined may be seen there for a moment more. */
    for (int i = 0; has > had && i < 100; i++) {
        usleep(1000);
        has = entries(folder, after, MAX_ENTRIES);
    }
    printf("%s before %d after %d", what, had, has);
    for (int i = 0; i < has; i++) {
        int known = 0;
        for (int j = 0; j < had; j++)
            known |= before[j] == after[i];
        if (!known)
            printf(" new %d", after[i]);
    }
    putchar('\n');
}

int main(int count, char **words)
{
    int fds[MAX_ENTRIES], tasks[MAX_ENTRIES], open_before = 0, threads_before = 0;
    int leak = count > 1 && strcmp(words[1], "--leak") == 0;
    words += 1 + leak;
    count -= 1 + leak;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (leak) {
        open_before = entries("/proc/self/fd", fds, MAX_ENTRIES);
        threads_before = entries("/proc/self/task", tasks, MAX_ENTRIES);
    }
    struct call call;
    if (count > 0 && strcmp(words[0], "--batch") == 0)
        batch(count > 1 && strcmp(words[1], "-e") == 0);
    else if (count > 1 && strcmp(words[0], "--each") == 0)
        each_case((int)number(words[1], NULL), make);
    else if (parse(&call, count, words))
        run(&call);
    else
        die("usage: gai [--leak] (--batch [-e] | [gai|gni] [options] NODE SERVICE)");
    if (leak) {
        report("fds", "/proc/self/fd", fds, open_before);
        report("threads", "/proc/self/task", tasks, threads_before);
    }
    return 0;
}
