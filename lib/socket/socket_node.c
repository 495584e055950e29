/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes in contact, as connections need them: what they are capable of, and their loss. */
#include "socket_priv.h"

static struct sock_node **
bucket(const struct dpt_socks *socks, struct dpt_node_addr addr)
{
	/* Addresses are 32-bit hashes or <Z.C.N>: fold both into the low bits. */
	uint32_t fold = addr.value ^ addr.value >> 10 ^ addr.value >> 21;

	return (struct sock_node **)(uintptr_t)&socks->nodes[fold % SOCK_NODE_BUCKETS];
}

struct sock_node *
sock_node_find(const struct dpt_socks *socks, struct dpt_node_addr addr)
{
	struct sock_node *node = *bucket(socks, addr);

	while (node != NULL && node->addr.value != addr.value)
		node = node->next;
	return node;
}

void
dpt_socks_node_up(struct dpt_socks *socks, struct dpt_node_addr addr, uint16_t caps, uint16_t mss)
{
	struct sock_node *node = sock_node_find(socks, addr);
	struct sock_node **head = bucket(socks, addr);

	if (node == NULL) {
		node = socks->nodes_free;
		/* More than nodes_max: connections with it end at once, as with a lost one. */
		if (node == NULL)
			return;
		socks->nodes_free = node->next;
		node->addr = addr;
		TAILQ_INIT(&node->conns);
		node->next = *head;
		*head = node;
	}
	node->caps = caps;
	node->mss = mss;
}

void
dpt_socks_node_down(struct dpt_socks *socks, struct dpt_node_addr addr, struct dpt_bufq *routed)
{
	struct sock_node *node = sock_node_find(socks, addr);
	struct sock_node **link = bucket(socks, addr);
	struct sock *sock;

	dpt_sock_room(socks, addr, 0x1f, routed);
	if (node == NULL)
		return;
	/* Each one unregisters when it ends. */
	if (DPT_MUTANT(loss_untold) && (sock = TAILQ_FIRST(&node->conns)) != NULL) {
		TAILQ_REMOVE(&node->conns, sock, conn.by_node);
		sock->conn.node = NULL;
	}
	while ((sock = TAILQ_FIRST(&node->conns)) != NULL)
		sock_conn_lost(socks, sock, DPT_ERR_NO_NODE);
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->addr.value = 0;
	node->next = socks->nodes_free;
	socks->nodes_free = node;
}
