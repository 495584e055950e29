/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast, as fast as the receivers can: each has all messages, in order.
 *
 *   blast receiver ID             binds {type, 0 .. 99} and {ack type, ID}; ends with the last one
 *   blast sender RECEIVERS CNT    waits for the receivers 0 .. RECEIVERS - 1
 *
 * A multicast is not flow controlled end to end: each receiver acknowledges every ACK_EVERY, and
 * the sender keeps WINDOW.
 */
#include "prog.h"

#include <unistd.h>

#define DATA_TYPE  (SERVICE_TYPE + 1)
#define READY_TYPE (SERVICE_TYPE + 2)
#define ACK_EVERY  32
#define WINDOW	   128
#define BYTES	   1000
#define SIDES_MAX  16

struct message {
	uint32_t seq, cnt;
	unsigned char octets[BYTES];
};

static unsigned char
octet(uint32_t seq, size_t i)
{
	return (unsigned char)(seq * 31 + i * 7);
}

static void
receive(uint32_t id)
{
	int data = prog_bound(SOCK_RDM, DATA_TYPE, 0, 99);
	int ready = prog_bound(SOCK_RDM, READY_TYPE, id, id);
	struct sockaddr_tipc from;
	struct message m;
	uint32_t next = 0;

	do {
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(data, &m, sizeof(m), 0, (struct sockaddr *)&from, &len);

		if (got != sizeof(m) || m.seq != next) {
			fprintf(stderr, "receiver %u: %zd octets, number %u instead of %u\n", id,
				got, m.seq, next);
			exit(1);
		}
		for (size_t i = 0; i < BYTES; i++)
			if (m.octets[i] != octet(m.seq, i))
				prog_die("octets", __LINE__);
		next++;
		if (next % ACK_EVERY == 0 || next == m.cnt) {
			uint32_t ack[2] = {id, next};

			NEED(sendto(data, ack, sizeof(ack), 0, (struct sockaddr *)&from, len));
		}
	} while (next < m.cnt);
	printf("receiver %u: %u messages\n", id, next);
	close(ready);
	close(data);
}

static uint32_t acked[SIDES_MAX];

static uint32_t
acked_by_all(int sides)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < sides; i++)
		least = acked[i] < least ? acked[i] : least;
	return least;
}

static void
blast(int sides, uint32_t cnt)
{
	struct sockaddr_tipc to = prog_range(DATA_TYPE, 0, 0);
	int fd = socket(AF_TIPC, SOCK_RDM, 0);
	struct message m = {.cnt = cnt};
	uint32_t ack[2];

	NEED(fd);
	for (int i = 0; i < sides; i++)
		prog_await(READY_TYPE, (uint32_t)i);
	while (acked_by_all(sides) < cnt) {
		if (m.seq < cnt && m.seq < acked_by_all(sides) + WINDOW) {
			for (size_t i = 0; i < BYTES; i++)
				m.octets[i] = octet(m.seq, i);
			NEED(sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to)));
			m.seq++;
			continue;
		}
		NEED(recv(fd, ack, sizeof(ack), 0) - (ssize_t)sizeof(ack));
		acked[ack[0] % SIDES_MAX] = ack[1];
	}
	printf("sender: %u messages to %d receivers\n", cnt, sides);
	close(fd);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "receiver") == 0)
		receive((uint32_t)atoi(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "sender") == 0 && atoi(argv[2]) <= SIDES_MAX)
		blast(atoi(argv[2]), (uint32_t)atoi(argv[3]));
	else
		return 2;
	return 0;
}
