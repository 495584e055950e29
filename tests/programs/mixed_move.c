/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages are sent, received and judged, with each of the calls that there are in turn. */
#include "mixed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Messages of an event; then it is another end's turn. */
#define BURST 32

static uint32_t
mix(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t x = a * 2654435761u ^ b * 2246822519u ^ c * 3266489917u;

	x ^= x >> 15;
	x *= 2246822519u;
	return x ^ x >> 13;
}

void
mixed_pattern(uint8_t *octets, const struct head *head)
{
	uint32_t x = mix(head->channel, head->generation, head->seq);

	for (size_t i = sizeof(*head); i < head->bytes; i++) {
		octets[i] = (uint8_t)(x >> 24);
		x = x * 1664525 + 1013904223;
	}
}

static uint32_t
bytes_of(const struct channel *channel, uint32_t seq)
{
	uint32_t x = mix(channel->generation, seq, channel->id);

	/* mostly small */
	return (uint32_t)sizeof(struct head) +
	       x % (x & 0x700 ? 200 : BYTES_MAX - sizeof(struct head));
}

/* ---- the sender's end ---- */

static bool
is_last(const struct channel *channel, uint32_t seq)
{
	return seq + 1 == channel->limit;
}

static void
compose(struct end *end)
{
	struct head head = {end->channel->id, end->channel->generation, end->next,
			    bytes_of(end->channel, end->next)};

	memcpy(end->buf, &head, sizeof(head));
	mixed_pattern(end->buf, &head);
	end->begin = 0;
	end->part = head.bytes;
}

static ssize_t
give(struct end *end)
{
	uint8_t *at = end->buf + end->begin;
	struct iovec iov[2] = {{at, end->part / 2},
			       {at + end->part / 2, end->part - end->part / 2}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	unsigned int way = end->kind == KIND_PIPE ? end->next % 2 : end->next % 5;

	if (end->kind == KIND_RDM && way % 2)
		return sendto(end->fd, at, end->part, 0, (struct sockaddr *)&end->channel->rdm,
			      sizeof(end->channel->rdm));
	if (end->kind == KIND_RDM) {
		msg.msg_name = &end->channel->rdm;
		msg.msg_namelen = sizeof(end->channel->rdm);
		return sendmsg(end->fd, &msg, 0);
	}
	switch (way) {
	case 0:
		return write(end->fd, at, end->part);
	case 1:
		return writev(end->fd, iov, 2);
	case 2:
		return send(end->fd, at, end->part, MSG_NOSIGNAL);
	case 3:
		return sendto(end->fd, at, end->part, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	default:
		return sendmsg(end->fd, &msg, MSG_NOSIGNAL);
	}
}

static void
take_acks(struct end *end)
{
	uint32_t ack;

	while (recv(end->fd, &ack, sizeof(ack), 0) == sizeof(ack))
		end->acked = ack;
	if (errno != EAGAIN && errno != EINTR)
		mixed_die("recv of an acknowledgement", __FILE__, __LINE__);
}

static void
finish(struct end *end)
{
	if (end->kind != KIND_PIPE && end->kind != KIND_RDM)
		MUST(shutdown(end->fd, end->kind <= KIND_UNIX ? SHUT_WR : SHUT_RDWR));
	mixed_close(end);
}

static void
check_connected(struct end *end)
{
	int error = 0;
	socklen_t len = sizeof(error);

	MUST(getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &len));
	errno = error;
	MUST(-error);
	end->is_connected = true;
}

/* Whether a message is (still) to be sent. */
static bool
has_more(struct end *end)
{
	if (end->part == 0 && end->next < end->channel->limit &&
	    (end->kind != KIND_RDM || end->next - end->acked < RDM_WINDOW))
		compose(end);
	return end->part > 0;
}

void
mixed_send(struct end *end, uint32_t events)
{
	if (!end->is_connected)
		check_connected(end);
	if (end->kind == KIND_RDM && events & EPOLLIN)
		take_acks(end);
	for (int i = 0; i < BURST && has_more(end); i++) {
		ssize_t sent = give(end);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		MUST(sent);
		end->begin += (size_t)sent;
		end->part -= (size_t)sent;
		end->next += end->part == 0;
	}
	if (end->next == end->channel->limit &&
	    (end->kind != KIND_RDM || end->acked == end->channel->limit)) {
		finish(end);
		return;
	}
	if (end->kind == KIND_RDM)
		mixed_arm(end, has_more(end) ? EPOLLIN | EPOLLOUT : EPOLLIN, false);
	else
		mixed_arm(end, EPOLLOUT, false);
}

/* ---- the receiver's end ---- */

static ssize_t
take(struct end *end)
{
	uint8_t *at = end->buf + end->part;
	size_t room = sizeof(end->buf) - end->part;
	struct iovec iov[2] = {{at, room / 3}, {at + room / 3, room - room / 3}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	socklen_t len = sizeof(end->from);
	unsigned int way = end->kind == KIND_PIPE ? end->next % 2 : end->next % 4;

	if (end->kind == KIND_RDM)
		return recvfrom(end->fd, at, room, 0, (struct sockaddr *)&end->from, &len);
	switch (way) {
	case 0:
		return read(end->fd, at, room);
	case 1:
		return readv(end->fd, iov, 2);
	case 2:
		return recv(end->fd, at, room, 0);
	default:
		return recvmsg(end->fd, &msg, MSG_DONTWAIT);
	}
}

static __attribute__((noreturn)) void
wrong(const struct end *end, const struct head *head, const char *what)
{
	fprintf(stderr,
		"channel %u (kind %d) generation %u, message %u wanted: %s; it says %u/%u/%u, "
		"%u octets\n",
		end->channel ? end->channel->id : 0, (int)end->kind,
		end->channel ? end->channel->generation : 0, end->next, what, head->channel,
		head->generation, head->seq, head->bytes);
	abort();
}

static void
judge(struct end *end, const uint8_t *octets, const struct head *head)
{
	uint8_t wanted[BYTES_MAX];

	if (end->channel == NULL)
		end->channel = mixed_channel(head->channel);
	if (end->channel == NULL || end->channel->id != head->channel ||
	    end->channel->generation != head->generation)
		wrong(end, head, "another channel");
	if (head->seq != end->next)
		wrong(end, head, "lost, doubled or out of order");
	if (head->bytes != bytes_of(end->channel, head->seq))
		wrong(end, head, "another length");
	mixed_pattern(wanted, head);
	if (memcmp(wanted + sizeof(*head), octets + sizeof(*head), head->bytes - sizeof(*head)) !=
	    0)
		wrong(end, head, "other octets");
	MUST(write(end->file, &head->seq, sizeof(head->seq)) - (ssize_t)sizeof(head->seq));
	end->channel->octets += head->bytes;
	end->next++;
	if (end->kind == KIND_RDM &&
	    (end->next % RDM_ACKED_BY == 0 || is_last(end->channel, head->seq)))
		MUST(sendto(end->fd, &end->next, sizeof(end->next), 0,
			    (struct sockaddr *)&end->from, sizeof(end->from)));
}

/* What is complete of that which was read. */
static void
judge_all(struct end *end)
{
	struct head head;
	size_t at = 0;

	while (end->part - at >= sizeof(head)) {
		memcpy(&head, end->buf + at, sizeof(head));
		if (head.bytes < sizeof(head) || head.bytes > BYTES_MAX)
			wrong(end, &head, "no message");
		if (end->part - at < head.bytes)
			break;
		judge(end, end->buf + at, &head);
		at += head.bytes;
	}
	memmove(end->buf, end->buf + at, end->part - at);
	end->part -= at;
}

/* The file has the numbers of all that came. */
static void
read_back(struct end *end)
{
	uint32_t seqs[64];
	off_t at = 0;
	ssize_t got;

	MUST(lseek(end->file, 0, SEEK_SET));
	while ((got = read(end->file, seqs, sizeof(seqs))) > 0) {
		for (size_t i = 0; i < (size_t)got / sizeof(*seqs); i++, at++)
			if (seqs[i] != (uint32_t)at)
				mixed_die("the file has another number", __FILE__, __LINE__);
	}
	MUST(got);
	if (at != (off_t)end->channel->limit)
		mixed_die("the file lacks some", __FILE__, __LINE__);
}

void
mixed_recv(struct end *end)
{
	for (int i = 0; i < BURST; i++) {
		ssize_t got = take(end);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		MUST(got);
		end->part += (size_t)got;
		judge_all(end);
		if (got != 0 && !(end->kind == KIND_RDM && end->next == end->channel->limit))
			continue;
		if (end->part != 0 || end->channel == NULL || end->next != end->channel->limit)
			mixed_die("end of file too early", __FILE__, __LINE__);
		read_back(end);
		mixed_close(end);
		return;
	}
	mixed_arm(end, EPOLLIN, false);
}
