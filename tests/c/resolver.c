/* The resolver(3) family, one call a line, for comparing two libraries. With `--each SECONDS` every line
 * is made in a process of its own: see each.h.
 *
 *   init | ninit                       fill _res, or this program's own state; prints it
 *   show | nshow                       prints _res, or the own state
 *   set FIELD VALUE...                 nsaddr I ADDRESS PORT, nscount N, options +NAME|-NAME..., retrans N,
 *   nset FIELD VALUE...                retry N, ndots N, dnsrch DOMAIN..., defdname DOMAIN; the same of the own
 *   query NAME CLASS TYPE [SIZE]       res_query; SIZE is the buffer's
 *   search NAME CLASS TYPE [SIZE]      res_search
 *   querydomain NAME DOMAIN CLASS TYPE [SIZE]
 *   mkquery OPCODE NAME CLASS TYPE [SIZE]
 *   send SIZE                          res_send of what mkquery wrote last
 *   raw HEX SIZE                       res_send of these octets
 *   nquery, nsearch, nquerydomain, nmkquery, nsend, nraw, nclose      with the own state
 *   gai NAME                           getaddrinfo's addresses
 *   setenv NAME VALUE
 *   copy FROM TO                       overwrites a file, and waits until both libraries look again
 *   fds                                how many descriptors are open
 *
 * A name may have \xNN in it; "" is the empty one, - a null pointer. */
#define _GNU_SOURCE
#include "each.h"
#include "text.h"
#include <arpa/nameser.h>
#include <dirent.h>
#include <resolv.h>
#include <unistd.h>

/* What musl does not have fails there. */
#ifndef __GLIBC__
#define NETDB_INTERNAL (-1)
#define NETDB_SUCCESS 0
#define RES_NOTLDQUERY 0
#define RES_NORELOAD 0
#define RES_TRUSTAD 0
#define RES_NOAAAA 0
#define res_ninit(...) (-1)
#define res_nclose(...) ((void)0)
#define res_nmkquery(...) (-1)
#define res_nsend(...) (-1)
#define res_nquery(...) (-1)
#define res_nsearch(...) (-1)
#define res_nquerydomain(...) (-1)
#endif

#define GUARD 0xa5
#define MAX_ANSWER 70000
#define MAX_WORDS 32

static struct __res_state own;
static unsigned char written[1024];
static int written_length;

static const struct name herrors[] = {{"NETDB_INTERNAL", NETDB_INTERNAL}, {"0", NETDB_SUCCESS},
    {"HOST_NOT_FOUND", HOST_NOT_FOUND}, {"TRY_AGAIN", TRY_AGAIN}, {"NO_RECOVERY", NO_RECOVERY},
    {"NO_DATA", NO_DATA}, {0, 0}};
/* Headers of older releases lack these. */
#ifndef RES_NOAAAA
#define RES_NOAAAA 0x08000000
#endif
#ifndef RES_STRICTERR
#define RES_STRICTERR 0x10000000
#endif
#define OPT(x) {#x, RES_##x}
static const struct name options[] = {OPT(INIT), OPT(DEBUG), OPT(USEVC), OPT(IGNTC), OPT(RECURSE),
    OPT(DEFNAMES), OPT(STAYOPEN), OPT(DNSRCH), OPT(NOALIASES), OPT(ROTATE), OPT(USE_EDNS0),
    OPT(SNGLKUP), OPT(SNGLKUPREOP), OPT(USE_DNSSEC), OPT(NOTLDQUERY), OPT(NORELOAD), OPT(TRUSTAD),
    OPT(NOAAAA), OPT(STRICTERR), {0, 0}};
static const struct name types_of_records[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6},
    {"PTR", 12}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}, {"ANY", 255}, {0, 0}};
static const struct name classes[] = {{"IN", 1}, {"CH", 3}, {"HS", 4}, {"ANY", 255}, {0, 0}};

/* FNV-1a; of a message with its id left out. */
static unsigned hash(const unsigned char *octets, int from, int length)
{
    unsigned value = 2166136261u;
    for (int i = from; i < length; i++)
        value = (value ^ octets[i]) * 16777619u;
    return value;
}

static void print_outcome(const char *what, int result, int error, const unsigned char *answer, int size)
{
    printf("%s %d", what, result);
    if (result < 0)
        printf(" errno=%s", error == UNTOUCHED ? "untouched" : error == 0 ? "0" : strerrorname_np(error));
    fputs(" h_errno=", stdout);
    name_of(stdout, h_errno, herrors);
    int length = result < size ? result : size, beyond = 0;
    for (int i = size; i < MAX_ANSWER; i++)
        beyond |= answer[i] != GUARD;
    if (beyond)
        fputs(" wrote beyond the buffer", stdout);
    /* A query that can't be written is of no use, however far libc has come with it. */
    if (size >= 12 && answer[2] != GUARD && (result >= 0 || strcmp(what, "mkquery") != 0))
        printf(" flags=%02x%02x counts=%d,%d,%d,%d", answer[2], answer[3], answer[4] << 8 | answer[5],
            answer[6] << 8 | answer[7], answer[8] << 8 | answer[9], answer[10] << 8 | answer[11]);
    if (length > 2)
        printf(" hash=%08x", hash(answer, 2, length));
    putchar('\n');
}

static void print_state(const struct __res_state *state)
{
    printf("  retrans=%d retry=%d nscount=%d ndots=%d nsort=%d pfcode=%lx ipv6_unavail=%d flags=%x vcsock=%d\n  options=",
        state->retrans, state->retry, state->nscount, state->ndots, state->nsort, state->pfcode,
        state->ipv6_unavail, state->_flags, state->_vcsock);
    unsigned long rest = state->options;
    for (const struct name *o = options; o->text != NULL; o++)
        if (state->options & (unsigned long)o->value) {
            printf("%s,", o->text);
            rest &= ~(unsigned long)o->value;
        }
    printf("%lx id is %sset\n  defdname=%s\n", rest, state->id ? "" : "not ", state->defdname);
    for (int i = 0; i <= MAXDNSRCH; i++)
        if (state->dnsrch[i] != NULL)
            printf("  dnsrch[%d]=%s%s\n", i, state->dnsrch[i],
                state->dnsrch[i] >= state->defdname && state->dnsrch[i] < state->defdname + sizeof state->defdname
                    ? "" : " elsewhere");
    for (int i = 0; i < MAXNS; i++) {
        printf("  server %d: family %d ", i, state->nsaddr_list[i].sin_family);
        if (state->nsaddr_list[i].sin_family != 0)
            printf("%s port %d", inet_ntoa(state->nsaddr_list[i].sin_addr), ntohs(state->nsaddr_list[i].sin_port));
        if (state->_u._ext.nsaddrs[i] != NULL) {
            fputs(" and ", stdout);
            print_address(stdout, (const void *)state->_u._ext.nsaddrs[i], sizeof(struct sockaddr_in6));
        }
        printf(" map %d socket %d\n", state->_u._ext.nsmap[i], state->_u._ext.nssocks[i]);
    }
    printf("  ext: nscount=%d nscount6=%d nsinit=%d\n", state->_u._ext.nscount, state->_u._ext.nscount6,
        state->_u._ext.nsinit);
    for (unsigned i = 0; i < state->nsort; i++)
        printf("  sort %s mask %08x\n", inet_ntoa(state->sort_list[i].addr), ntohl(state->sort_list[i].mask));
}

static void set(struct __res_state *state, int count, char **words)
{
    const char *field = words[0];
    if (strcmp(field, "nsaddr") == 0 && count == 4) {
        struct sockaddr_in *in = &state->nsaddr_list[number(words[1], NULL)];
        memset(in, 0, sizeof *in);
        in->sin_family = AF_INET;
        in->sin_port = htons((unsigned short)number(words[3], NULL));
        if (inet_pton(AF_INET, words[2], &in->sin_addr) != 1)
            die(words[2]);
    } else if (strcmp(field, "nscount") == 0)
        state->nscount = (int)number(words[1], NULL);
    else if (strcmp(field, "retrans") == 0)
        state->retrans = (int)number(words[1], NULL);
    else if (strcmp(field, "retry") == 0)
        state->retry = (int)number(words[1], NULL);
    else if (strcmp(field, "ndots") == 0)
        state->ndots = (unsigned)number(words[1], NULL) & 15;
    else if (strcmp(field, "options") == 0)
        for (int i = 1; i < count; i++) {
            unsigned long bit = (unsigned long)number(words[i] + 1, options);
            state->options = words[i][0] == '+' ? state->options | bit : state->options & ~bit;
        }
    else if (strcmp(field, "dnsrch") == 0)
        for (int i = 0; i <= MAXDNSRCH; i++)
            state->dnsrch[i] = i + 1 < count ? strdup(words[i + 1]) : NULL;
    else if (strcmp(field, "defdname") == 0)
        snprintf(state->defdname, sizeof state->defdname, "%s", words[1]);
    else
        die(field);
}

static int hex(const char *text, unsigned char *octets)
{
    int length = 0;
    unsigned octet;
    for (; sscanf(text, "%2x", &octet) == 1 && length < (int)sizeof written; text += 2)
        octets[length++] = (unsigned char)octet;
    return length;
}

static void copy(const char *from, const char *to)
{
    char text[4096];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    if (in == NULL || out == NULL)
        die("copy");
    fwrite(text, 1, fread(text, 1, sizeof text, in), out);
    fclose(in);
    fclose(out);
    usleep(150000);
}

static void call_gai(const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(name, NULL, &hints, &list);
    fputs("gai ", stdout);
    name_of(stdout, code, errors);
    for (struct addrinfo *node = list; node != NULL; node = node->ai_next) {
        fputs(", ", stdout);
        print_address(stdout, node->ai_addr, node->ai_addrlen);
    }
    putchar('\n');
    if (list != NULL)
        freeaddrinfo(list);
}

static void call(int count, char **words)
{
    static unsigned char answer[MAX_ANSWER];
    memset(answer, GUARD, sizeof answer);
    const char *what = words[0];
    int is_own = what[0] == 'n', size = 65536, result, at;
    if (is_own)
        what++;
    struct __res_state *state = is_own ? &own : &_res;
    char *names[2] = {NULL, NULL};
    int name_count = strcmp(what, "querydomain") == 0 ? 2 : 1;
    errno = UNTOUCHED;
    h_errno = 42;
    if (strcmp(what, "init") == 0) {
        result = is_own ? res_ninit(&own) : res_init();
        print_outcome(what, result, errno, answer, 0);
        print_state(state);
    } else if (strcmp(what, "show") == 0) {
        print_state(state);
    } else if (strcmp(what, "close") == 0) {
        res_nclose(state);
    } else if (strcmp(what, "set") == 0) {
        set(state, count - 1, words + 1);
    } else if (strcmp(what, "setenv") == 0) {
        setenv(words[1], words[2], 1);
    } else if (strcmp(what, "copy") == 0) {
        copy(words[1], words[2]);
    } else if (strcmp(what, "gai") == 0) {
        call_gai(words[1]);
    } else if (strcmp(what, "fds") == 0) {
        DIR *dir = opendir("/proc/self/fd");
        for (result = 0; readdir(dir) != NULL; result++)
            ;
        closedir(dir);
        printf("fds %d\n", result);
    } else if (strcmp(what, "mkquery") == 0 && count >= 5) {
        memset(written, GUARD, sizeof written);
        size = count > 5 ? (int)number(words[5], NULL) : (int)sizeof written;
        char *name = unescape(words[2]);
        int opcode = (int)number(words[1], NULL), class = (int)number(words[3], classes),
            type = (int)number(words[4], types_of_records);
        errno = UNTOUCHED;
        written_length = is_own
            ? res_nmkquery(&own, opcode, name, class, type, NULL, 0, NULL, written, size)
            : res_mkquery(opcode, name, class, type, NULL, 0, NULL, written, size);
        memcpy(answer, written, sizeof written);
        print_outcome(what, written_length, errno, answer, size);
        if (written_length >= 12 && memcmp(&state->id, written, 2) != 0)
            puts("  the state has another id");
    } else if (strcmp(what, "send") == 0 || strcmp(what, "raw") == 0) {
        if (what[0] == 'r')
            written_length = hex(words[1], written);
        if (count > 1 + (what[0] == 'r'))
            size = (int)number(words[1 + (what[0] == 'r')], NULL);
        errno = UNTOUCHED;
        result = is_own ? res_nsend(&own, written, written_length, answer, size)
                        : res_send(written, written_length, answer, size);
        print_outcome(what, result, errno, answer, size);
    } else if (count >= 3 + name_count) {
        for (at = 0; at < name_count; at++)
            names[at] = unescape(words[1 + at]);
        int class = (int)number(words[1 + at], classes), type = (int)number(words[2 + at], types_of_records);
        if (count > 3 + at)
            size = (int)number(words[3 + at], NULL);
        errno = UNTOUCHED;
        if (strcmp(what, "query") == 0)
            result = is_own ? res_nquery(&own, names[0], class, type, answer, size)
                            : res_query(names[0], class, type, answer, size);
        else if (strcmp(what, "search") == 0)
            result = is_own ? res_nsearch(&own, names[0], class, type, answer, size)
                            : res_search(names[0], class, type, answer, size);
        else if (strcmp(what, "querydomain") == 0)
            result = is_own ? res_nquerydomain(&own, names[0], names[1], class, type, answer, size)
                            : res_querydomain(names[0], names[1], class, type, answer, size);
        else
            die(what);
        print_outcome(what, result, errno, answer, size);
        if (state->res_h_errno != h_errno && h_errno != 42)
            printf("  the state has h_errno %d\n", state->res_h_errno);
    } else {
        die(words[0]);
    }
}

int main(int arguments, char **argument)
{
    char *words[MAX_WORDS];
    setvbuf(stdout, NULL, _IONBF, 0);
    if (arguments > 2 && strcmp(argument[1], "--each") == 0) {
        each_case((int)number(argument[2], NULL), call);
        return 0;
    }
    for (int count; (count = next_call(words, MAX_WORDS)) > 0;)
        call(count, words);
    return 0;
}
