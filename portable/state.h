/* The resolver state that a call goes by. */

#ifndef RUSTDNS_STATE_H
#define RUSTDNS_STATE_H

#include "portable.h"

/* Fills the state as res_ninit() does, or with keep as res_init(); `anew`: from files and environment
   as they are now. 0 where there is no memory. */
HIDDEN int state_fill(struct instance *, int anew, int keep);
/* Fills one that has not been filled. */
HIDDEN int state_fill_once(struct instance *);
/* Has libc close a state, without the addresses in it that are ours: it would free them. */
HIDDEN void state_close(struct __res_state *, void (*next)(struct __res_state *));
/* The id of the last query, as it stands in the message. */
HIDDEN void state_set_id(struct instance *, const uint8_t id[2]);

#endif
