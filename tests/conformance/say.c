/* SPDX-License-Identifier: BSD-3-Clause */
/* The transcript: one line per call, without anything that differs from run to run. */
#include "conform.h"

#define TEXTS	  16
#define TEXT_SIZE 400
#define KNOWN_MAX 64

static _Thread_local char texts[TEXTS][TEXT_SIZE];
static _Thread_local unsigned int texts_next;

static struct known {
	uint32_t ref, node;
	char name[24];
} known[KNOWN_MAX];
static int known_cnt;

static char *
new_text(void)
{
	char *t = texts[texts_next++ % TEXTS];

	t[0] = '\0';
	return t;
}

static void __attribute__((format(printf, 2, 3))) append(char *text, const char *format, ...)
{
	size_t have = strlen(text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + have, TEXT_SIZE - have, format, ap);
	va_end(ap);
}

void
say(const char *format, ...)
{
	char line[2048];
	va_list ap;
	int n, keep = errno;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(3);
	errno = keep;
}

const char *
errno_name(int number)
{
	const char *name = strerrorname_np(number);

	return name != NULL ? name : "E?";
}

long
say_result(const char *call, long value)
{
	if (value == -1)
		say("%s = -1 %s", call, errno_name(errno));
	else
		say("%s = %ld", call, value);
	return value;
}

int
say_fd(const char *call, long value)
{
	if (value >= 0)
		say("%s = fd", call);
	else
		say_result(call, value);
	return (int)value;
}

void
know_ref(uint32_t ref, uint32_t node, const char *name)
{
	struct known *k = &known[known_cnt];

	if (known_cnt == KNOWN_MAX)
		abort();
	known_cnt++;
	k->ref = ref;
	k->node = node;
	snprintf(k->name, sizeof(k->name), "%s", name);
}

void
know(int fd, const char *name)
{
	know_ref(ref_of(fd), own_node(), name);
}

static const char *
node_text(uint32_t node)
{
	if (node == own_node())
		return "own";
	if (node != 0 && node == peer_node)
		return "peer";
	return node == 0 ? "0" : "other";
}

static const char *
ref_text(uint32_t ref, uint32_t node)
{
	for (int i = known_cnt - 1; i >= 0; i--)
		if (known[i].ref == ref && (known[i].node == node || node == 0))
			return known[i].name;
	return ref == 0 ? "0" : "unknown";
}

static const char *
type_text(uint32_t type)
{
	char *t = new_text();

	if (type - T < 10)
		append(t, type == T ? "T" : "T+%u", type - T);
	else
		append(t, "%u", type);
	return t;
}

const char *
addr_text(const struct sockaddr_tipc *a, socklen_t len)
{
	char *t = new_text();

	if (len != ALEN) {
		append(t, "[length %u]", len);
		return t;
	}
	if (a->family != AF_TIPC)
		append(t, "family %u ", a->family);
	if (a->addrtype == TIPC_SOCKET_ADDR)
		append(t, "{%s, %s}", ref_text(a->addr.id.ref, a->addr.id.node),
		       node_text(a->addr.id.node));
	else
		append(t, "addrtype %u {%s, %u, %u}", a->addrtype, type_text(a->addr.nameseq.type),
		       a->addr.nameseq.lower, a->addr.nameseq.upper);
	if (a->addrtype == TIPC_SOCKET_ADDR && a->addr.name.domain != 0)
		append(t, " last word %u", a->addr.name.domain);
	if (a->scope != 0)
		append(t, " scope %d", a->scope);
	return t;
}

const char *
data_text(const void *data, size_t len)
{
	const unsigned char *d = data;
	char *t = new_text();
	size_t i;

	for (i = 0; i < len && len <= 40 && d[i] >= ' ' && d[i] < 127; i++)
		;
	if (i == len)
		append(t, "\"%.*s\"", (int)len, (const char *)data);
	else
		append(t, "[%zu octets, sum %08x]", len, sum_of(data, len));
	return t;
}

const char *
poll_text(short events)
{
	static const struct {
		short bit;
		const char *name;
	} names[] = {{POLLIN, "IN"},	     {POLLPRI, "PRI"},	     {POLLOUT, "OUT"},
		     {POLLRDHUP, "RDHUP"},   {POLLERR, "ERR"},	     {POLLHUP, "HUP"},
		     {POLLNVAL, "NVAL"},     {POLLRDNORM, "RDNORM"}, {POLLRDBAND, "RDBAND"},
		     {POLLWRNORM, "WRNORM"}, {POLLWRBAND, "WRBAND"}};
	char *t = new_text();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (events & names[i].bit)
			append(t, "%s%s", t[0] != '\0' ? "|" : "", names[i].name);
	if (t[0] == '\0')
		append(t, "none");
	return t;
}

const char *
flags_text(int flags)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {{MSG_EOR, "EOR"}, {MSG_TRUNC, "TRUNC"}, {MSG_CTRUNC, "CTRUNC"}};
	char *t = new_text();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (flags & names[i].bit)
			append(t, " %s", names[i].name);
		flags &= ~names[i].bit;
	}
	/* Not told by TIPC, but left over from what the caller passed. */
	flags &= ~MSG_CMSG_CLOEXEC;
	if (flags != 0)
		append(t, " %#x", (unsigned int)flags);
	return t;
}

static void
cmsg_text(char *t, struct cmsghdr *c)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);
	uint32_t w[3] = {0, 0, 0};

	memcpy(w, CMSG_DATA(c), len < sizeof(w) ? len : sizeof(w));
	if (c->cmsg_level != SOL_TIPC)
		append(t, " [level %d type %d]", c->cmsg_level, c->cmsg_type);
	else if (c->cmsg_type == TIPC_ERRINFO && len == 8)
		append(t, " [ERRINFO %u %u]", w[0], w[1]);
	else if (c->cmsg_type == TIPC_DESTNAME && len == 12)
		append(t, " [DESTNAME %s %u %u]", type_text(w[0]), w[1], w[2]);
	else if (c->cmsg_type == TIPC_RETDATA)
		append(t, " [RETDATA %s]", data_text(CMSG_DATA(c), len));
	else
		append(t, " [type %d, %zu octets]", c->cmsg_type, len);
}

long
rx(const char *who, int fd, size_t len, int flags, size_t name_len, size_t ctl_len)
{
	static _Thread_local uint8_t data[1 << 18];
	uint8_t name[128] = {0};
	union {
		struct cmsghdr head;
		uint8_t room[8192];
	} control;
	struct iovec iov = {data, len};
	struct msghdr m = {.msg_name = name_len > 0 ? name : NULL,
			   .msg_namelen = name_len,
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = ctl_len > 0 ? &control : NULL,
			   .msg_controllen = ctl_len};
	char *t = new_text();
	ssize_t n;

	errno = 0;
	n = recvmsg(fd, &m, flags);
	if (n < 0) {
		say("recvmsg(%s) = -1 %s", who, errno_name(errno));
		return n;
	}
	append(t, "recvmsg(%s) = %zd %s%s", who, n, data_text(data, (size_t)n),
	       flags_text(m.msg_flags));
	if (name_len > 0)
		append(t, " from %s", addr_text((void *)name, m.msg_namelen));
	for (struct cmsghdr *c = ctl_len > 0 ? CMSG_FIRSTHDR(&m) : NULL; c != NULL;
	     c = CMSG_NXTHDR(&m, c))
		cmsg_text(t, c);
	say("%s", t);
	return n;
}

long
rd(const char *who, int fd, size_t len, int flags)
{
	static _Thread_local uint8_t data[1 << 20];
	ssize_t n;

	errno = 0;
	n = recv(fd, data, len, flags);
	if (n < 0)
		say("recv(%s) = -1 %s", who, errno_name(errno));
	else
		say("recv(%s) = %zd %s", who, n, data_text(data, (size_t)n));
	return n;
}

#define ALL_BITS                                                                                   \
	(POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND)

void
bits(const char *who, int fd)
{
	struct pollfd p = {.fd = fd, .events = ALL_BITS};

	settle();
	if (poll(&p, 1, 0) < 0)
		say("poll(%s) = -1 %s", who, errno_name(errno));
	else
		say("poll(%s): %s", who, poll_text(p.revents));
}

void
await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, 4000) <= 0)
		say("(no %s in time)", poll_text(events));
}

long
option_get(const char *what, int fd, int level, int name)
{
	uint32_t value = 0xdeadbeef;
	socklen_t len = sizeof(value);

	errno = 0;
	if (getsockopt(fd, level, name, &value, &len) != 0)
		return say_result(what, -1);
	if (len == sizeof(value))
		say("getsockopt(%s): %u", what, value);
	else
		say("getsockopt(%s): length %u", what, len);
	return value;
}
