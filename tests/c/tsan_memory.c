/* What rustc's ThreadSanitizer calls and gcc's runtime lacks: libtsan sees the plain functions. */
#include <string.h>

void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *__tsan_memset(void *place, int octet, size_t size) { return memset(place, octet, size); }
