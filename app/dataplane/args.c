/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipcd's options: the table and what is made from it. Contract: args.h. */
#include "args.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "dpt_records.h"

enum arg_kind {
	ARG_FLAG,   /* bool */
	ARG_NUMBER, /* uint64_t, min to max */
	ARG_OCTAL,  /* the same, written in octal */
	ARG_TEXT,   /* characters, 1 to max */
	ARG_CHOICE, /* uint64_t: index of a word in `unit`, separated by '|' */
	ARG_NODE_ID,
	ARG_NODE_ADDR,
	ARG_BEARER,
	ARG_UID,
	ARG_GID,
};

struct arg {
	const char *name;
	enum arg_kind kind;
	const char *unit; /* unit of a number, or how the value is written */
	uint64_t min;
	uint64_t max;
	uint64_t value; /* default */
	size_t offset;	/* in struct args */
	const char *text;
};

#define AT(field) offsetof(struct args, field)

static const struct arg table[] = {
	{"name", ARG_TEXT, "NAME", 1, ARGS_NAME_BYTES - 1, 0, AT(name),
	 "attach name, how applications find this node (default \"default\")"},
	{"socket", ARG_TEXT, "PATH", 1, ARGS_PATH_BYTES - 1, 0, AT(socket_path),
	 "attach by this path as well: for containers"},
	{"socket-mode", ARG_OCTAL, "octal", 0, 0777, 0666, AT(socket_mode),
	 "access mode of --socket"},
	{"allow-uid", ARG_UID, "USER", 0, UINT32_MAX, 0, AT(allow_uids),
	 "user that may attach; repeatable. Without this and --allow-gid any user may, as "
	 "with kernel TIPC"},
	{"allow-gid", ARG_GID, "GROUP", 0, UINT32_MAX, 0, AT(allow_gids),
	 "group whose members may attach; repeatable"},
	{"net-id", ARG_NUMBER, "id", 1, 9999, 4711, AT(net_id),
	 "network id: nodes with another one are not seen"},
	{"node-id", ARG_NODE_ID, "TEXT", 0, 0, 0, AT(node_id),
	 "node identity: up to 16 characters, or 32 hexadecimal digits (default: from the "
	 "first bearer)"},
	{"node-addr", ARG_NODE_ADDR, "Z.C.N", 0, 0, 0, AT(node_addr),
	 "node address, as Z.C.N or hexadecimal (default: from the identity)"},
	{"bearer", ARG_BEARER, "MEDIA:DEVICE", 0, 0, 0, AT(bearers),
	 "carry TIPC there; media: eth (a port of DPDK or an interface of the kernel), unix; "
	 "repeatable, at most 3. \",priority=N,tolerance=MS,window=N,mtu=N,domain=Z.C.N\" behind "
	 "it: for this bearer"},
	{"priority", ARG_NUMBER, "", 1, 31, 10, AT(priority), "priority of links"},
	{"tolerance", ARG_NUMBER, "ms", 5, 30000, 1500, AT(tolerance_ms),
	 "silence after which a link is down; below 50 between dptipcd nodes only: a kernel "
	 "peer keeps its own, at least 50"},
	{"window", ARG_NUMBER, "packets", 16, 2048, 512, AT(window_pkts),
	 "largest window of links"},
	{"mtu", ARG_NUMBER, "octets", DPT_LINK_MTU_MIN, 65535, 0, AT(mtu_bytes),
	 "octets of TIPC in a frame, at most the device's MTU (default: that)"},
	{"idle", ARG_CHOICE, "poll|adaptive", 0, 1, ARGS_IDLE_ADAPTIVE, AT(idle),
	 "without work: poll on (lowest latency), or sleep after a while"},
	{"workers", ARG_NUMBER, "threads", 1, DPT_SHARDS_MAX, 0, AT(workers),
	 "worker threads (default: EAL's worker lcores, else 1)"},
	{"sockets", ARG_NUMBER, "", 16, 1 << 20, 8192, AT(sockets), "sockets of one worker"},
	{"bindings", ARG_NUMBER, "", 64, 1 << 22, 65536, AT(bindings),
	 "entries of the name table, all nodes"},
	{"nodes", ARG_NUMBER, "", 1, 4095, 255, AT(nodes), "nodes of the cluster"},
	{"recorders", ARG_NUMBER, "links", 1, 8190, 512, AT(recorders),
	 "links of one worker that have a flight recorder; 25 KiB each"},
	{"stat-file", ARG_TEXT, "PATH", 1, ARGS_PATH_BYTES - 1, 0, AT(stat_file),
	 "file that dptipc-stat reads (default: NAME.stat in the runtime directory); \"none\""},
	{"startup-file", ARG_TEXT, "FILE", 1, ARGS_PATH_BYTES - 1, 0, AT(startup_file),
	 "commands of the tipc tool, run one after the other before dptipcd says ready"},
	{"mbufs", ARG_NUMBER, "buffers", 1024, 1 << 22, 32768, AT(mbufs),
	 "packet buffers; each holds a frame"},
	{"region-sockets", ARG_NUMBER, "", 1, 65536, 1024, AT(region_sockets),
	 "sockets of one application process"},
	{"process-bindings", ARG_NUMBER, "", 1, DPT_OWN_BINDINGS_MAX, DPT_OWN_BINDINGS_MAX,
	 AT(process_bindings), "service addresses bound by one application process"},
	{"process-kib", ARG_NUMBER, "KiB", 0, UINT64_C(1) << 32, 0, AT(process_kib),
	 "memory of what one application process has not read (0: what half of the buffers hold)"},
	{"rx-log-kib", ARG_NUMBER, "KiB", 256, 16384, 256, AT(rx_log_kib),
	 "receive log of a socket, a power of two"},
	{"help", ARG_FLAG, "", 0, 0, 0, AT(is_help), "this text"},
	{"version", ARG_FLAG, "", 0, 0, 0, AT(is_version), "print the version"},
};

#define TABLE_CNT (sizeof(table) / sizeof(table[0]))

/* What stands behind a bearer's comma: the general option's range, another place. */
static const struct {
	const char *name;
	size_t offset;
} bearer_props[] = {
	{"priority", offsetof(struct args_bearer, priority)},
	{"tolerance", offsetof(struct args_bearer, tolerance_ms)},
	{"window", offsetof(struct args_bearer, window_pkts)},
	{"mtu", offsetof(struct args_bearer, mtu_bytes)},
};

static const struct arg *
arg_find(const char *name, size_t len)
{
	for (size_t i = 0; i < TABLE_CNT; i++)
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

/* An error line: what was typed, what is expected. Returns -EINVAL. */
static int
arg_wrong(char *error, const char *option, const char *value, const char *expected)
{
	snprintf(error, ARGS_ERROR_BYTES, "--%s: %.200s: expected %s", option, value, expected);
	return -EINVAL;
}

static int
arg_number(const struct arg *arg, const char *option, const char *value, uint64_t *number,
	   char *error)
{
	bool is_octal = arg->kind == ARG_OCTAL;
	char expected[128], *end;

	errno = 0;
	*number = strtoull(value, &end, is_octal ? 8 : 10);
	if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0 && *number >= arg->min &&
	    *number <= arg->max)
		return 0;
	snprintf(expected, sizeof(expected), is_octal ? "%llo to %llo%s%s%s" : "%llu to %llu%s%s%s",
		 (unsigned long long)arg->min, (unsigned long long)arg->max,
		 arg->unit[0] != '\0' ? " (" : "", arg->unit, arg->unit[0] != '\0' ? ")" : "");
	return arg_wrong(error, option, value, expected);
}

static int
arg_choice(const struct arg *arg, const char *value, uint64_t *number, char *error)
{
	char expected[64];
	const char *word = arg->unit;
	size_t len = strlen(value);

	for (*number = 0; word != NULL; (*number)++) {
		size_t word_len = strcspn(word, "|");

		if (len == word_len && memcmp(word, value, len) == 0)
			return 0;
		word = word[word_len] == '|' ? word + word_len + 1 : NULL;
	}
	snprintf(expected, sizeof(expected), "one of %s", arg->unit);
	return arg_wrong(error, arg->name, value, expected);
}

/* "1.1.10" or "100100a", "0x100100a". Src: 02-discovery.md, 1.4. */
static int
arg_node_addr(const char *option, const char *value, struct dpt_node_addr *addr, char *error)
{
	unsigned int z, c, n;
	int used = 0;
	char *end;
	unsigned long hex;

	if (sscanf(value, "%u.%u.%u%n", &z, &c, &n, &used) == 3 && value[used] == '\0' &&
	    z <= 0xff && c <= 0xfff && n <= 0xfff) {
		addr->value = z << 24 | c << 12 | n;
	} else {
		hex = strtoul(value, &end, 16);
		addr->value = *end == '\0' && hex <= UINT32_MAX ? (uint32_t)hex : 0;
	}
	if (addr->value == 0)
		return arg_wrong(error, option, value,
				 "Z.C.N (up to 255.4095.4095) or a hexadecimal number, not 0");
	return 0;
}

/* Peers that are looked for: "1.1.0". */
static int
arg_domain(struct args_bearer *bearer, const char *option, const char *value, char *error)
{
	struct dpt_node_addr domain;
	int rc = arg_node_addr(option, value, &domain, error);

	bearer->domain = domain.value;
	return rc;
}

static int
arg_bearer_prop(struct args_bearer *bearer, const char *whole, const char *prop, char *error)
{
	size_t len = strcspn(prop, "=");
	char option[ARGS_BEARER_BYTES + 16];

	snprintf(option, sizeof(option), "bearer %.100s", whole);
	if (len == strlen("domain") && memcmp(prop, "domain=", len + 1) == 0)
		return arg_domain(bearer, option, prop + len + 1, error);
	for (size_t i = 0; i < sizeof(bearer_props) / sizeof(bearer_props[0]); i++) {
		if (prop[len] != '=' || strlen(bearer_props[i].name) != len ||
		    memcmp(bearer_props[i].name, prop, len) != 0)
			continue;
		return arg_number(arg_find(prop, len), option, prop + len + 1,
				  (uint64_t *)((char *)bearer + bearer_props[i].offset), error);
	}
	return arg_wrong(error, option, prop,
			 "priority=N, tolerance=MS, window=PACKETS, mtu=OCTETS or domain=Z.C.N");
}

static int
arg_bearer(struct args *args, const char *value, char *error)
{
	struct args_bearer *bearer = &args->bearers[args->bearers_cnt];
	char text[ARGS_BEARER_BYTES], *save = NULL, *part;
	const char *colon = strchr(value, ':');

	if (args->bearers_cnt == DPT_BEARERS_MAX)
		return arg_wrong(error, "bearer", value, "at most 3 bearers");
	if (strlen(value) >= sizeof(text) || colon == NULL || colon == value || colon[1] == '\0' ||
	    colon[1] == ',')
		return arg_wrong(error, "bearer", value,
				 "MEDIA:DEVICE[,priority=N][,tolerance=MS][,window=N][,mtu=N]"
				 "[,domain=Z.C.N], as in eth:eth0 or unix:wire1");
	*bearer = (struct args_bearer){0};
	strcpy(text, value);
	part = strtok_r(text, ",", &save);
	strcpy(bearer->name, part);
	for (uint32_t i = 0; i < args->bearers_cnt; i++)
		if (strcmp(args->bearers[i].name, bearer->name) == 0)
			return arg_wrong(error, "bearer", value, "another device for each bearer");
	while ((part = strtok_r(NULL, ",", &save)) != NULL) {
		int rc = arg_bearer_prop(bearer, value, part, error);

		if (rc != 0)
			return rc;
	}
	args->bearers_cnt++;
	return 0;
}

/* A user's or group's name or number into the list. */
static int
arg_id(struct args *args, const struct arg *arg, const char *value, char *error)
{
	bool is_uid = arg->kind == ARG_UID;
	uint32_t *cnt = is_uid ? &args->allow_uids_cnt : &args->allow_gids_cnt;
	uint32_t *ids = is_uid ? args->allow_uids : args->allow_gids;
	const struct passwd *user = is_uid ? getpwnam(value) : NULL;
	const struct group *group = is_uid ? NULL : getgrnam(value);
	uint64_t id = user != NULL ? user->pw_uid : group != NULL ? group->gr_gid : 0;

	if (*cnt == ARGS_IDS_MAX)
		return arg_wrong(error, arg->name, value, "at most 32 of them");
	if (user == NULL && group == NULL) {
		char *end;

		errno = 0;
		id = strtoull(value, &end, 10);
		if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || id >= UINT32_MAX)
			return arg_wrong(error, arg->name, value,
					 is_uid ? "name or number of a user"
						: "name or number of a group");
	}
	ids[(*cnt)++] = (uint32_t)id;
	return 0;
}

static int
arg_set(struct args *args, const struct arg *arg, const char *value, char *error)
{
	void *at = (char *)args + arg->offset;
	char expected[64];

	switch (arg->kind) {
	case ARG_FLAG:
		*(bool *)at = true;
		return 0;
	case ARG_NUMBER:
	case ARG_OCTAL:
		return arg_number(arg, arg->name, value, at, error);
	case ARG_CHOICE:
		return arg_choice(arg, value, at, error);
	case ARG_TEXT:
		if (strlen(value) >= arg->min && strlen(value) <= arg->max) {
			strcpy(at, value);
			return 0;
		}
		snprintf(expected, sizeof(expected), "%llu to %llu characters",
			 (unsigned long long)arg->min, (unsigned long long)arg->max);
		return arg_wrong(error, arg->name, value, expected);
	case ARG_NODE_ID:
		if (dpt_node_id_parse(at, value) == 0)
			return 0;
		return arg_wrong(error, arg->name, value,
				 "up to 16 of 0-9 A-Z a-z . : _ - @, or 32 hexadecimal digits");
	case ARG_NODE_ADDR:
		return arg_node_addr(arg->name, value, at, error);
	case ARG_BEARER:
		return arg_bearer(args, value, error);
	case ARG_UID:
	case ARG_GID:
		return arg_id(args, arg, value, error);
	}
	return -EINVAL;
}

static void
args_defaults(struct args *args)
{
	memset(args, 0, sizeof(*args));
	strcpy(args->name, "default");
	for (size_t i = 0; i < TABLE_CNT; i++)
		if (table[i].kind == ARG_NUMBER || table[i].kind == ARG_OCTAL ||
		    table[i].kind == ARG_CHOICE)
			*(uint64_t *)((char *)args + table[i].offset) = table[i].value;
}

/* What one option alone cannot tell. */
static int
args_check(struct args *args, char *error)
{
	if ((args->rx_log_kib & (args->rx_log_kib - 1)) != 0)
		return arg_wrong(error, "rx-log-kib", "this number", "a power of two (KiB)");
	/* Address space of each process, of which only what is used takes memory. Our choice. */
	if (args->region_sockets * args->rx_log_kib > UINT64_C(64) << 20)
		return arg_wrong(error, "region-sockets", "this number",
				 "--region-sockets times --rx-log-kib at most 64 GiB");
	for (uint32_t i = 0; i < args->bearers_cnt; i++) {
		struct args_bearer *bearer = &args->bearers[i];

		if (bearer->priority == 0)
			bearer->priority = args->priority;
		if (bearer->tolerance_ms == 0)
			bearer->tolerance_ms = args->tolerance_ms;
		if (bearer->window_pkts == 0)
			bearer->window_pkts = args->window_pkts;
		if (bearer->mtu_bytes == 0)
			bearer->mtu_bytes = args->mtu_bytes;
	}
	return 0;
}

int
args_parse(struct args *args, int argc, char *const *argv, char error[ARGS_ERROR_BYTES])
{
	args_defaults(args);
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i], *value;
		const struct arg *arg = NULL;
		size_t len;
		int rc;

		if (strncmp(name, "--", 2) == 0) {
			name += 2;
			len = strcspn(name, "=");
			arg = arg_find(name, len);
		}
		if (arg == NULL) {
			snprintf(error, ARGS_ERROR_BYTES,
				 "%.200s: no such option; \"dptipcd --help\" lists them (EAL's go "
				 "before a \"--\")",
				 argv[i]);
			return -EINVAL;
		}
		value = name[len] == '=' ? name + len + 1 : NULL;
		if (arg->kind == ARG_FLAG && value != NULL)
			return arg_wrong(error, arg->name, value, "no value");
		if (arg->kind != ARG_FLAG && value == NULL) {
			if (i + 1 == argc)
				return arg_wrong(error, arg->name, "nothing behind it",
						 arg->unit[0] != '\0' ? arg->unit : "a number");
			value = argv[++i];
		}
		rc = arg_set(args, arg, value, error);
		if (rc != 0)
			return rc;
	}
	return args_check(args, error);
}

bool
args_range(const char *name, uint64_t *min, uint64_t *max)
{
	const struct arg *arg = arg_find(name, strlen(name));

	if (arg == NULL || arg->kind != ARG_NUMBER)
		return false;
	*min = arg->min;
	*max = arg->max;
	return true;
}

void
args_help(FILE *to)
{
	fprintf(to,
		"dptipcd: TIPC dataplane, one node.\n\n"
		"  dptipcd                               one node alone: no NIC, no hugepages\n"
		"  dptipcd [options]                     EAL's options are chosen for you\n"
		"  dptipcd [EAL options] -- [options]    EAL's that are not given are chosen\n\n"
		"Options:\n");
	for (size_t i = 0; i < TABLE_CNT; i++) {
		const struct arg *arg = &table[i];
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", arg->name,
			 arg->kind == ARG_FLAG ? "" : " ",
			 arg->kind == ARG_FLAG				     ? ""
			 : arg->kind == ARG_NUMBER || arg->kind == ARG_OCTAL ? "N"
									     : arg->unit);
		fprintf(to, "  %-24s  %s", left, arg->text);
		if (arg->kind == ARG_NUMBER && arg->value != 0)
			fprintf(to, " (%llu to %llu%s%s; default %llu)",
				(unsigned long long)arg->min, (unsigned long long)arg->max,
				arg->unit[0] != '\0' ? " " : "", arg->unit,
				(unsigned long long)arg->value);
		else if (arg->kind == ARG_NUMBER)
			fprintf(to, " (%llu to %llu)", (unsigned long long)arg->min,
				(unsigned long long)arg->max);
		else if (arg->kind == ARG_OCTAL)
			fprintf(to, " (octal; default %llo)", (unsigned long long)arg->value);
		else if (arg->kind == ARG_CHOICE)
			fprintf(to, " (default adaptive)");
		fprintf(to, "\n");
	}
}
