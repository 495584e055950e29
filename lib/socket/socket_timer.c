/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers of connections: 09-socket-api.md, 7.6, 13. */
#include <errno.h>

#include "socket_priv.h"

static void
probe_due(struct dpt_socks *socks, struct sock *sock, uint64_t now_ns, struct dpt_bufq *routed)
{
	if (sock->conn.owed != SOCK_OWES_NOTHING) {
		dpt_timer_set(&socks->wheel, &sock->conn.timer, now_ns + SOCK_PROBE_NS);
		sock_owed_pay(socks, sock, routed);
		return;
	}
	if (sock->conn.is_probing) {
		socks->cfg.counters->probes_unanswered++;
		sock_conn_end(socks, sock, ECONNABORTED);
		return;
	}
	sock_flow_probe(socks, sock, routed);
	dpt_timer_set(&socks->wheel, &sock->conn.timer, now_ns + SOCK_PROBE_NS);
}

static void
syn_due(struct dpt_socks *socks, struct sock *sock, uint64_t now_ns, struct dpt_bufq *routed)
{
	if (sock_is_blocked(sock)) {
		dpt_timer_set(&socks->wheel, &sock->conn.timer, now_ns + SOCK_SYN_WAIT_NS);
		return;
	}
	sock_syn_again(socks, sock, routed);
}

void
dpt_socks_timeout(struct dpt_socks *socks, uint64_t now_ns, struct dpt_bufq *routed)
{
	struct dpt_timer *timer;

	socks->now_ns = now_ns;
	while ((timer = dpt_timer_pop(&socks->wheel, now_ns)) != NULL) {
		struct sock *sock = (struct sock *)(void *)((uint8_t *)timer -
							    offsetof(struct sock, conn.timer));

		if (timer->kind == SOCK_TIMER_PROBE)
			probe_due(socks, sock, now_ns, routed);
		else
			syn_due(socks, sock, now_ns, routed);
	}
}

uint64_t
dpt_socks_deadline_ns(const struct dpt_socks *socks)
{
	return dpt_timer_wheel_deadline_ns(&socks->wheel);
}
