/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Streams on our sockets. The C library's own streams read, write and close inside, past us; so
 * fdopen gives a stream of ours (fopencookie), which looks the same, and fileno knows its number.
 */

#include "preload_fd.h"
#include "preload_real.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A stream on one of our sockets. */
struct stream {
	struct stream *next;
	FILE *file;
	int fd;
};

static struct stream *streams;
static pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;
/* Without any, fileno costs nothing. */
static _Atomic int streams_cnt;

void
streams_child(void)
{
	pthread_mutex_init(&streams_lock, NULL);
}

static ssize_t
stream_read(void *cookie, char *buf, size_t len)
{
	return preload_read(((struct stream *)cookie)->fd, buf, len);
}

static ssize_t
stream_write(void *cookie, const char *buf, size_t len)
{
	ssize_t sent = preload_write(((struct stream *)cookie)->fd, buf, len);

	/* (fopencookie: 0 is the error) */
	return sent < 0 ? 0 : sent;
}

static int
stream_close(void *cookie)
{
	struct stream *stream = cookie, **at = &streams;
	int fd = stream->fd;

	pthread_mutex_lock(&streams_lock);
	while (*at && *at != stream)
		at = &(*at)->next;
	if (*at)
		*at = stream->next;
	streams_cnt--;
	pthread_mutex_unlock(&streams_lock);
	free(stream);
	return preload_close(fd);
}

FILE *
preload_fdopen(int fd, const char *mode)
{
	static const cookie_io_functions_t functions = {
		.read = stream_read, .write = stream_write, .close = stream_close};
	struct stream *stream;

	if (fd_is_foreign(fd) || fd_kind(fd) != FD_OURS)
		return dpt_real.fdopen(fd, mode);
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->fd = fd;
	stream->file = fopencookie(stream, mode, functions);
	if (!stream->file) {
		free(stream);
		return NULL;
	}
	pthread_mutex_lock(&streams_lock);
	stream->next = streams;
	streams = stream;
	streams_cnt++;
	pthread_mutex_unlock(&streams_lock);
	return stream->file;
}

/* A program that was started with one of our sockets as its standard input or output (inetd, a
 * shell's redirection): its streams are ours too. Only a Unix socket is looked at more closely. */
__attribute__((constructor)) static void
streams_init(void)
{
	FILE **const standard[] = {&stdin, &stdout, &stderr};
	int error = errno;

	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;
		FILE *stream;

		if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode) || fd_kind(fd) != FD_OURS)
			continue;
		stream = preload_fdopen(fd, fd == 0 ? "r" : "w");
		if (!stream)
			continue;
		if (fd == 2)
			setvbuf(stream, NULL, _IONBF, 0);
		*standard[fd] = stream;
	}
	errno = error;
}

/* -1: not a stream of ours. */
static int
stream_fd(const FILE *file)
{
	struct stream *stream;
	int fd = -1;

	if (!atomic_load_explicit(&streams_cnt, memory_order_relaxed))
		return -1;
	pthread_mutex_lock(&streams_lock);
	for (stream = streams; stream && fd < 0; stream = stream->next)
		if (stream->file == file)
			fd = stream->fd;
	pthread_mutex_unlock(&streams_lock);
	return fd;
}

int
preload_fileno(FILE *stream)
{
	int fd = stream_fd(stream);

	return fd < 0 ? dpt_real.fileno(stream) : fd;
}

int
preload_fileno_unlocked(FILE *stream)
{
	int fd = stream_fd(stream);

	return fd < 0 ? dpt_real.fileno_unlocked(stream) : fd;
}

/* ---- printing to a descriptor ---- */

static int print_ours(int fd, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

static int
print_ours(int fd, const char *format, va_list ap)
{
	char *text;
	int len = vasprintf(&text, format, ap);
	ssize_t sent = 0;

	if (len < 0)
		return -1;
	if (len > 0)
		sent = preload_write(fd, text, (size_t)len);
	free(text);
	return sent < 0 ? -1 : len;
}

int
preload_vdprintf(int fd, const char *format, va_list ap)
{
	if (fd_is_foreign(fd) || fd_kind(fd) != FD_OURS)
		return dpt_real.vdprintf(fd, format, ap);
	return print_ours(fd, format, ap);
}

int
preload___vdprintf_chk(int fd, int flag, const char *format, va_list ap)
{
	if (fd_is_foreign(fd) || fd_kind(fd) != FD_OURS)
		return dpt_real.__vdprintf_chk(fd, flag, format, ap);
	return print_ours(fd, format, ap);
}

int
preload_dprintf(int fd, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = preload_vdprintf(fd, format, ap);
	va_end(ap);
	return len;
}

int
preload___dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = preload___vdprintf_chk(fd, flag, format, ap);
	va_end(ap);
	return len;
}
