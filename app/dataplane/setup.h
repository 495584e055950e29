/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETUP_H
#define SETUP_H

/*
 * From options to a running dataplane: pool, bearers, shards, rings, workers; and back.
 * init, the main thread.
 */

#include "control.h"

/* Octets of a buffer behind the headroom. Our choice: a whole Ethernet frame. */
#define SETUP_BUF_ROOM_BYTES 2048
/* Packets that a link holds each way; largest window. Our choice. */
#define SETUP_LINK_RING_PKTS 2048

/* Memory that buffers and tables need, MiB, for EAL. workers: at least 1. */
uint32_t setup_memory_mib(const struct args *args, uint32_t workers);

/*
 * After rte_eal_init. Returns 0, or -1 with a line in error that says what to do; then, as
 * after use, setup_fini frees what there is.
 */
int setup_init(struct control *control, const struct args *args, char *error, size_t error_bytes);
/* Start the workers. They run until control tells them to stop. */
void setup_start(struct control *control);
void setup_fini(struct control *control);

/* notify.c. Tell systemd that programs can attach. */
void notify_ready(void);

#endif /* SETUP_H */
