/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run looked like: --trace writes a transcript (time, node, what it received, what
 * it decided), --pcap all frames as an Ethernet capture.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sim.h"

#define PCAP_MAGIC     0xa1b23c4du /* nanoseconds */
#define PCAP_ETH       1
#define ETHERTYPE_TIPC 0x88ca

static FILE *
trace_open(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		fprintf(stderr, "dptipc-sim: %s: %s\n", path, strerror(errno));
	return f;
}

int
sim_trace_open(struct sim *sim, const struct sim_opts *opts)
{
	const uint32_t head[6] = {PCAP_MAGIC, 4u << 16 | 2, 0, 0, 65535, PCAP_ETH};

	if (opts->trace_path != NULL) {
		sim->trace = trace_open(opts->trace_path);
		if (sim->trace == NULL)
			return -1;
	}
	if (opts->pcap_path != NULL) {
		sim->pcap = trace_open(opts->pcap_path);
		if (sim->pcap == NULL)
			return -1;
		fwrite(head, sizeof(head), 1, sim->pcap);
	}
	return 0;
}

void
sim_trace_close(struct sim *sim)
{
	if (sim->trace != NULL)
		fclose(sim->trace);
	if (sim->pcap != NULL)
		fclose(sim->pcap);
	sim->trace = NULL;
	sim->pcap = NULL;
}

void
sim_trace_line(struct sim *sim, uint32_t n, const char *fmt, ...)
{
	va_list args;

	if (sim->trace == NULL)
		return;
	if (n == SIM_NONE)
		fprintf(sim->trace, "%11.6f --  ", (double)sim->now_ns / 1e9);
	else
		fprintf(sim->trace, "%11.6f n%-2u ", (double)sim->now_ns / 1e9, n);
	va_start(args, fmt);
	vfprintf(sim->trace, fmt, args);
	va_end(args);
	fputc('\n', sim->trace);
}

void
sim_trace_counters(struct sim *sim)
{
	struct dpt_counter_value value;
	uint32_t n, s, i;

	for (n = 0; sim->trace != NULL && n < sim->plan.nodes; n++) {
		for (s = 0; sim->nodes[n].is_running && s < sim->plan.shards; s++) {
			const struct dpt_stack *stack = sim->nodes[n].shards[s].stack;

			for (i = 0; dpt_stack_counter(stack, i, &value); i++) {
				if (value.value != 0 && value.desc->kind != DPT_COUNTER_INFO)
					sim_trace_line(sim, n, "  shard %u: %s.%s %llu", s,
						       value.library, value.desc->name,
						       (unsigned long long)value.value);
			}
		}
	}
}

void
sim_trace_rx(struct sim *sim, uint32_t n, struct rte_mbuf *m)
{
	char text[512];

	if (sim->trace == NULL)
		return;
	dpt_msg_print(dpt_buf_hdr(m), dpt_buf_head_bytes(m), text, sizeof(text));
	sim_trace_line(sim, n, "received %s", text);
}

void
sim_trace_tx(struct sim *sim, uint32_t n, uint32_t to, struct rte_mbuf *m)
{
	char text[512];

	if (sim->trace == NULL)
		return;
	dpt_msg_print(dpt_buf_hdr(m), dpt_buf_head_bytes(m), text, sizeof(text));
	sim_trace_line(sim, n, "  to n%u: %s", to, text);
}

void
sim_pcap_frame(struct sim *sim, uint32_t from, struct rte_mbuf *m)
{
	const struct dpt_maddr *dst = &dpt_buf(m)->dst;
	uint8_t eth[14];
	uint32_t bytes = dpt_buf_bytes(m);
	uint32_t rec[4] = {(uint32_t)(sim->now_ns / DPT_NS_PER_S),
			   (uint32_t)(sim->now_ns % DPT_NS_PER_S), bytes + (uint32_t)sizeof(eth),
			   bytes + (uint32_t)sizeof(eth)};
	static uint8_t data[SIM_MTU_MAX + 64];

	if (sim->pcap == NULL || bytes > sizeof(data))
		return;
	memset(eth, 0xff, 6);
	if (!dst->is_bcast)
		memcpy(eth, dst->bytes, 6);
	memcpy(eth + 6, sim->nodes[from].maddr[dpt_buf(m)->bearer_id].bytes, 6);
	eth[12] = ETHERTYPE_TIPC >> 8;
	eth[13] = ETHERTYPE_TIPC & 0xff;
	dpt_buf_read(m, 0, data, bytes);
	fwrite(rec, sizeof(rec), 1, sim->pcap);
	fwrite(eth, sizeof(eth), 1, sim->pcap);
	fwrite(data, bytes, 1, sim->pcap);
}
