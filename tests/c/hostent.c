/*
 * Calls the gethostby* family and prints all that they return.
 *
 *   hostent --batch      calls from standard input, one a line
 *   hostent --each SECONDS      the same, each in a process of its own: see each.h
 *   hostent CALL         one call
 *
 * A call is: FUNCTION [options] ARGUMENT
 *   name NAME                        gethostbyname(_r)
 *   name2 -f FAMILY NAME             gethostbyname2(_r)
 *   addr -f FAMILY [-l LENGTH] ADDRESS     gethostbyaddr(_r); ADDRESS as inet_pton(3) reads it
 *   ent                              sethostent(0), all of gethostent(_r), endhostent
 * Options:
 *   -s            the form with a static buffer; else the one with _r
 *   -b SIZE       size of the buffer for _r, 4096 until told
 *   -a OFFSET     how far from an address that suits any type the buffer begins, 0 until told
 *   -S            sizes 0, 1, 2 ... 1500 instead of one: prints each outcome once, without the sizes
 *                 and without ERANGE
 *   -L            prints the least size that did instead, from sizes 0 to 4000
 *   -n THREADS    the same call in so many threads at once, 40 times each
 */
#define _GNU_SOURCE
/* The other probes use the rest of it. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "each.h"
#include "text.h"
#include <pthread.h>
#include <stdint.h>

/* musl has no such function. */
#ifndef __GLIBC__
#define gethostent_r(...) ENOSYS
#endif

#define MAX_WORDS 16
#define MAX_THREADS 64
#define ROUNDS 40
#define MAX_SIZE 8192
#define GUARD 0x5a

static const struct name herrors[] = {{"NETDB_INTERNAL", -1}, {"0", 0}, {"HOST_NOT_FOUND", 1},
    {"TRY_AGAIN", 2}, {"NO_RECOVERY", 3}, {"NO_DATA", 4}, {"untouched", UNTOUCHED}, {0, 0}};

struct call {
    enum { NAME, NAME2, ADDR, ENT } function;
    int is_static, sweep, least, threads;
    long family, length, size, offset;
    char *argument;
};

static void print_number(FILE *out, const char *what, int value)
{
    if (value == UNTOUCHED)
        fprintf(out, " %s=untouched", what);
    else
        fprintf(out, " %s=%s", what, value == 0 ? "0" :
            strerrorname_np(value) ? strerrorname_np(value) : "unknown");
}

static void print_host(FILE *out, const struct hostent *host)
{
    char text[INET6_ADDRSTRLEN];
    fputs("  name ", out);
    escaped(out, host->h_name);
    fputs("\n  aliases", out);
    for (char **alias = host->h_aliases; *alias != NULL; alias++) {
        fputc(' ', out);
        escaped(out, *alias);
    }
    fputs("\n  ", out);
    name_of(out, host->h_addrtype, families);
    fprintf(out, " length %d", host->h_length);
    for (char **address = host->h_addr_list; *address != NULL; address++)
        fprintf(out, " %s", inet_ntop(host->h_addrtype, *address, text, sizeof text));
    fputc('\n', out);
}

/* Whether all that the structure points to lies in the buffer. */
static int lies_within(const struct hostent *host, const char *buffer, size_t size)
{
#define IN(p, n) ((const char *)(p) >= buffer && (const char *)(p) + (n) <= buffer + size)
    if (!IN(host->h_name, strlen(host->h_name) + 1))
        return 0;
    char **p;
    for (p = host->h_aliases; *p != NULL; p++)
        if (!IN(p, sizeof *p) || !IN(*p, strlen(*p) + 1))
            return 0;
    if (!IN(p, sizeof *p) || (uintptr_t)host->h_aliases % sizeof *p != 0)
        return 0;
    for (p = host->h_addr_list; *p != NULL; p++)
        if (!IN(p, sizeof *p) || !IN(*p, host->h_length) || (uintptr_t)*p % 4 != 0)
            return 0;
    return IN(p, sizeof *p) && (uintptr_t)host->h_addr_list % sizeof *p == 0;
}

/* Reads ADDRESS into octets, 16 of them at least. */
static socklen_t parse_address(const struct call *call, unsigned char *octets)
{
    memset(octets, 0, 64);
    socklen_t length = 16;
    if (call->argument != NULL && inet_pton(AF_INET, call->argument, octets) == 1)
        length = 4;
    else if (call->argument != NULL && inet_pton(AF_INET6, call->argument, octets) != 1)
        die(call->argument);
    return call->length >= 0 ? (socklen_t)call->length : length;
}

static void call_static(FILE *out, const struct call *call)
{
    unsigned char octets[64];
    struct hostent *host = NULL;
    if (call->function == ENT)
        sethostent(0);
    do {
        h_errno = UNTOUCHED;
        errno = UNTOUCHED;
        switch (call->function) {
        case NAME: host = gethostbyname(call->argument); break;
        case NAME2: host = gethostbyname2(call->argument, (int)call->family); break;
        case ADDR: {
            socklen_t length = parse_address(call, octets);
            errno = UNTOUCHED;
            host = gethostbyaddr(octets, length, (int)call->family);
            break;
        }
        case ENT: host = gethostent(); break;
        }
        int error = errno, herror = h_errno;
        /* What errno and h_errno are after a success is chance. */
        if (host != NULL) {
            fputs("  found\n", out);
            print_host(out, host);
            continue;
        }
        fputs("  NULL h_errno=", out);
        name_of(out, herror, herrors);
        print_number(out, "errno", error == UNTOUCHED ? 0 : error);
        fputc('\n', out);
    } while (call->function == ENT && host != NULL);
    if (call->function == ENT)
        endhostent();
}

/* One call of the _r form with a buffer of this size; returns what the call did. */
static int call_r(FILE *out, const struct call *call, size_t size)
{
    static _Thread_local union {
        char octets[MAX_SIZE + 64];
        long double aligned;
    } memory;
    unsigned char address[64];
    char *buffer = memory.octets + call->offset;
    struct hostent filled, *host = (void *)&filled + 1;
    int herror = UNTOUCHED, code = 0;
    socklen_t length = call->function == ADDR ? parse_address(call, address) : 0;
    memset(memory.octets, GUARD, sizeof memory.octets);
    errno = h_errno = UNTOUCHED;
    switch (call->function) {
    case NAME: code = gethostbyname_r(call->argument, &filled, buffer, size, &host, &herror); break;
    case NAME2: code = gethostbyname2_r(call->argument, (int)call->family, &filled, buffer, size,
                    &host, &herror); break;
    case ADDR: code = gethostbyaddr_r(address, length, (int)call->family, &filled, buffer, size,
                   &host, &herror); break;
    case ENT: code = gethostent_r(&filled, buffer, size, &host, &herror); break;
    }
    int error = errno;
    fputs(" ", out);
    print_number(out, "code", code);
    fprintf(out, " %s", host == NULL ? "NULL" : host == &filled ? "found" : "other");
    /* After a success, and at the end of the file, libc leaves there what was or what it tried. */
    if (host == NULL && call->function != ENT) {
        fputs(" h_errnop=", out);
        name_of(out, herror, herrors);
    }
    print_number(out, "errno", error);
    fputc('\n', out);
    if (host == &filled) {
        print_host(out, host);
        if (!lies_within(host, buffer, size))
            fputs("  outside of the buffer\n", out);
    }
    for (size_t i = 0; i < sizeof memory.octets; i++)
        if ((&memory.octets[i] < buffer || &memory.octets[i] >= buffer + size) &&
            memory.octets[i] != GUARD) {
            fputs("  wrote beyond the buffer\n", out);
            break;
        }
    return code;
}

static char *outcome(const struct call *call, size_t size, int *code)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        die("no memory");
    if (call->is_static) {
        call_static(out, call);
        *code = 0;
    } else if (call->function == ENT) {
        int rounds = 0;
        sethostent(0);
        /* With a buffer that is too small the same line comes again. */
        while ((*code = call_r(out, call, size)) == 0 && rounds++ < 10000)
            ;
        if (*code == ERANGE) {
            fputs("  again with room\n", out);
            call_r(out, call, MAX_SIZE);
        }
        endhostent();
    } else {
        *code = call_r(out, call, size);
    }
    fclose(out);
    return text;
}

static void *repeat(void *argument)
{
    const struct call *call = argument;
    char *first = NULL;
    int code;
    for (int i = 0; i < ROUNDS; i++) {
        char *text = outcome(call, (size_t)call->size, &code);
        if (first == NULL) {
            first = text;
            continue;
        }
        if (strcmp(first, text) != 0)
            printf("another round got\n%s", text);
        free(text);
    }
    return first;
}

static void in_threads(struct call *call)
{
    pthread_t threads[MAX_THREADS];
    char *first = NULL;
    for (int i = 0; i < call->threads; i++)
        if (pthread_create(&threads[i], NULL, repeat, call) != 0)
            die("no thread");
    for (int i = 0; i < call->threads; i++) {
        void *text;
        pthread_join(threads[i], &text);
        if (first == NULL) {
            first = text;
            continue;
        }
        if (strcmp(first, text) != 0)
            printf("another thread got\n%s", (char *)text);
        free(text);
    }
    fputs(first, stdout);
    free(first);
}

static void run(struct call *call)
{
    int code;
    char *last = NULL, *text;
    if (call->threads > 1) {
        in_threads(call);
    } else if (call->least) {
        for (size_t size = 0; size <= 4000; size++) {
            free(outcome(call, size, &code));
            if (code != ERANGE) {
                printf("  least %zu\n", size);
                return;
            }
        }
        puts("  least none");
    } else if (call->sweep) {
        for (size_t size = 0; size <= 1500; size++) {
            text = outcome(call, size, &code);
            if (code != ERANGE && (last == NULL || strcmp(last, text) != 0))
                fputs(text, stdout);
            free(last);
            last = text;
        }
        free(last);
    } else {
        text = outcome(call, (size_t)call->size, &code);
        fputs(text, stdout);
        free(text);
    }
}

static int parse(struct call *call, int count, char **words)
{
    static const struct name functions[] = {
        {"name", NAME}, {"name2", NAME2}, {"addr", ADDR}, {"ent", ENT}, {0, 0}};
    *call = (struct call){.threads = 1, .length = -1, .size = 4096};
    int given = 0;
    if (count < 1)
        return 0;
    call->function = (int)number(words[0], functions);
    for (int i = 1; i < count; i++) {
        char *word = words[i], *value = i + 1 < count ? words[i + 1] : NULL;
        if (word[0] != '-' || word[1] == '\0' || given > 0) {
            call->argument = unescape(word);
            given++;
            continue;
        }
        switch (word[1]) {
        case 's': call->is_static = 1; continue;
        case 'S': call->sweep = 1; continue;
        case 'L': call->least = 1; continue;
        }
        if (value == NULL)
            return 0;
        i++;
        switch (word[1]) {
        case 'f': call->family = number(value, families); break;
        case 'l': call->length = number(value, NULL); break;
        case 'b': call->size = number(value, NULL); break;
        case 'a': call->offset = number(value, NULL); break;
        case 'n': call->threads = (int)number(value, NULL); break;
        default: return 0;
        }
    }
    return given == (call->function == ENT ? 0 : 1) && call->size <= MAX_SIZE &&
        call->offset <= 64 && call->threads >= 1 && call->threads <= MAX_THREADS;
}

static void batch(void)
{
    char *words[MAX_WORDS];
    struct call call;
    for (int count; (count = next_call(words, MAX_WORDS)) > 0;) {
        if (!parse(&call, count, words))
            die("a line is no call");
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

int main(int count, char **words)
{
    struct call call;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count > 1 && strcmp(words[1], "--batch") == 0)
        batch();
    else if (count > 2 && strcmp(words[1], "--each") == 0)
        each_case((int)number(words[2], NULL), make);
    else if (parse(&call, count - 1, words + 1))
        run(&call);
    else
        die("usage: hostent --batch | FUNCTION [options] [ARGUMENT]");
    return 0;
}
