/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_CLIENT_H
#define DPT_CLIENT_H

/* What the preload library uses of libdptipc beside dptipc.h. Not exported. */

#include <stdint.h>

/*
 * A connection to dptipcd that carries netlink datagrams, as DPT_ATTACH_NETLINK has it.
 * protocol: NETLINK_GENERIC or NETLINK_SOCK_DIAG; options: DPT_CLIENT_NL_*.
 * Returns a descriptor (close-on-exec), or -1 and errno as dptipc_attach, with dptipc_error().
 */
#define DPT_CLIENT_NL_CAP_ACK 1u
#define DPT_CLIENT_NL_EXT_ACK 2u
int dpt_client_netlink(uint32_t protocol, uint32_t options);

/* Has the socket something to read? 0 also when fd is none of ours. */
int dpt_client_has_unread(int fd);

/* What the abstract address of a dptipcd begins with, behind the NUL. */
#define DPT_CLIENT_ATTACH_PREFIX "dptipc/"

/*
 * Before a child comes into being in a way that pthread_atfork(3) does not see: from now on the
 * regions have two users.
 */
void dpt_client_share(void);

#endif /* DPT_CLIENT_H */
