/* SPDX-License-Identifier: BSD-3-Clause */
/* Wires for the bearer suite. eth: two memif ports of this process, which need no root. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "bearer_counters.h"
#include "bearer_test.h"
#include "test_pool.h"

#define TEST_MTU_MAX (2048 - 18)

static const struct dpt_bearer_ops *const drivers[] = {&dpt_bearer_eth, &dpt_bearer_unix,
						       &dpt_bearer_loop};

/* Each wire has ports of its own: a vdev's name cannot be used twice. */
static uint32_t eth_wires_cnt;

static void
eth_port_name(char *name, size_t bytes, uint32_t end)
{
	snprintf(name, bytes, "net_memif%u", 2 * eth_wires_cnt + end);
}

static void
eth_ports_add(void)
{
	eth_wires_cnt++;
	for (uint32_t i = 0; i < 2; i++) {
		char name[32], args[128];

		eth_port_name(name, sizeof(name), i);
		snprintf(args, sizeof(args),
			 "role=%s,socket=@dptipc-test-%d-%u,socket-abstract=yes",
			 i == 0 ? "server" : "client", (int)getpid(), eth_wires_cnt);
		CU_EQ_I64_FATAL(rte_eal_hotplug_add("vdev", name, args), 0);
	}
}

/* memif ports find each other in a thread of EAL: wait until both have a carrier. */
static bool
wire_is_up(struct wire *wire)
{
	for (int tries = 0; tries < 5000; tries++) {
		uint32_t up_cnt = 0;

		for (uint32_t i = 0; i < wire->ends_cnt; i++)
			up_cnt += wire->ends[i]->ops->is_up(wire->ends[i]);
		if (up_cnt == wire->ends_cnt)
			return true;
		usleep(1000);
	}
	return false;
}

/* memif takes no frame in its first burst of each direction: get that over with. */
static void
eth_warm_up(void)
{
	for (uint16_t from = 0; from < 2; from++) {
		uint16_t port[2], got = 0;
		char name[32];

		for (uint32_t i = 0; i < 2; i++) {
			eth_port_name(name, sizeof(name), i);
			rte_eth_dev_get_port_by_name(name, &port[i]);
		}
		for (int tries = 0; got == 0 && tries < 1000; tries++) {
			struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), 60);

			if (rte_eth_tx_burst(port[from], 0, &m, 1) == 0)
				rte_pktmbuf_free(m);
			got = rte_eth_rx_burst(port[1 - from], 0, &m, 1);
			if (got == 1)
				rte_pktmbuf_free(m);
		}
		while (rte_eth_rx_burst(port[1 - from], 0, &(struct rte_mbuf *){NULL}, 1) != 0)
			got++;
		CU_EQ_U64_FATAL(got, 1);
	}
}

void
wire_open(struct wire *wire, const char *media)
{
	*wire = (struct wire){.media = media, .ends_cnt = ENDS_MAX};
	test_pool();
	if (strcmp(media, "eth") == 0) {
		wire->ends_cnt = 2;
		eth_ports_add();
	}
	for (uint32_t i = 0; i < wire->ends_cnt; i++) {
		char name[64], error[256] = "";
		struct dpt_bearer_cfg cfg = {
			.bearer_id = (uint8_t)i,
			.queues_cnt = 1,
			.numa_socket = 0,
			.pool = test_pool(),
			.mtu_max = TEST_MTU_MAX,
		};
		const struct dpt_bearer_ops *ops;

		if (strcmp(media, "eth") == 0)
			eth_port_name(name + snprintf(name, sizeof(name), "eth:"), sizeof(name) - 4,
				      i);
		else
			snprintf(name, sizeof(name), "%s:test%d", media, (int)getpid());
		cu_context("%s", name);
		ops = dpt_bearer_find(drivers, CU_CNT(drivers), name, &cfg.device);
		CU_NOT_NULL_FATAL(ops);
		CU_EQ_I64_FATAL(ops->open(&cfg, &wire->ends[i], error, sizeof(error)), 0);
		ops->info(wire->ends[i], &wire->info[i]);
	}
	CU_TRUE_FATAL(wire_is_up(wire));
	if (strcmp(media, "eth") == 0)
		eth_warm_up();
}

static void
alarm_rang(void *arg)
{
	atomic_store((_Atomic int *)arg, 1);
}

/*
 * memif takes a lost connection apart in EAL's interrupt thread, which must not meet a close
 * of the same port. Alarms ring in that thread: when one has rung, what came before is over.
 */
static void
interrupts_settle(void)
{
	_Atomic int has_rung = 0;

	CU_EQ_I64_FATAL(rte_eal_alarm_set(1, alarm_rang, (void *)&has_rung), 0);
	while (atomic_load(&has_rung) == 0)
		usleep(100);
}

void
wire_close(struct wire *wire)
{
	bool is_eth = strcmp(wire->media, "eth") == 0;

	for (uint32_t i = 0; i < wire->ends_cnt; i++) {
		struct dpt_bearer *end = wire->ends[i];

		for (int tries = 0; is_eth && i == 1 && tries < 5000 && end->ops->is_up(end);
		     tries++)
			usleep(1000);
		if (is_eth)
			interrupts_settle();
		end->ops->close(end);
	}
	if (is_eth)
		interrupts_settle();
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

uint64_t
wire_counter(const struct wire *wire, uint32_t end, const char *name)
{
	uint64_t values[DPT_BEARER_COUNTERS_CNT] = {0};

	wire->ends[end]->ops->counters(wire->ends[end], values, DPT_BEARER_COUNTERS_CNT);
	for (uint32_t i = 0; i < DPT_BEARER_COUNTERS_CNT; i++)
		if (strcmp(dpt_bearer_counter_descs[i].name, name) == 0)
			return values[i];
	return UINT64_MAX;
}
