/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL's command line. Contract: eal_args.h. */
#include "eal_args.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int
eal_add(struct eal_args *eal, const char *fmt, ...)
{
	size_t room = sizeof(eal->text) - eal->text_bytes;
	char *at = eal->text + eal->text_bytes;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	if ((size_t)len >= room || eal->argc == EAL_ARGS_MAX)
		return -E2BIG;
	eal->text_bytes += (size_t)len + 1;
	eal->saved[eal->argc] = at;
	eal->argv[eal->argc++] = at;
	eal->argv[eal->argc] = NULL;
	return 0;
}

/* Did the user give one of these options (names separated by spaces)? */
static bool
is_given(int argc, char **argv, const char *names)
{
	for (int i = 0; i < argc; i++) {
		for (const char *name = names; *name != '\0';) {
			size_t len = strcspn(name, " ");
			bool is_short = len == 2;

			if (strncmp(argv[i], name, len) == 0 &&
			    (is_short || argv[i][len] == '\0' || argv[i][len] == '='))
				return true;
			name += len + (name[len] == ' ');
		}
	}
	return false;
}

/* Free hugepages of the default size, MiB. */
static uint64_t
hugepages_free_mib(void)
{
	FILE *info = fopen("/proc/meminfo", "re");
	unsigned long long value, free_cnt = 0, size_kib = 0;
	char line[128];

	if (info == NULL)
		return 0;
	while (fgets(line, sizeof(line), info) != NULL) {
		if (sscanf(line, "HugePages_Free: %llu", &value) == 1)
			free_cnt = value;
		if (sscanf(line, "Hugepagesize: %llu kB", &value) == 1)
			size_kib = value;
	}
	fclose(info);
	return free_cnt * size_kib / 1024;
}

/* "(0,1,3)": the CPUs that this process may run on. */
static void
cpus_print(char *text, size_t text_bytes)
{
	cpu_set_t cpus;
	size_t used = 0;

	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) == 0)
		CPU_SET(0, &cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE && used + 8 < text_bytes; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			used += (size_t)snprintf(text + used, text_bytes - used, "%s%d",
						 used == 0 ? "(" : ",", cpu);
	snprintf(text + used, text_bytes - used, ")");
}

/* lcore 0 is the control thread; all threads float over all CPUs, the kernel places them. */
static int
eal_add_lcores(struct eal_args *eal, uint64_t workers)
{
	char cpus[2048], lcores[EAL_ARGS_TEXT_BYTES / 2];
	int used;

	cpus_print(cpus, sizeof(cpus));
	if (workers == 0)
		workers = 1;
	used = snprintf(lcores, sizeof(lcores), "(0-%llu)@%s", (unsigned long long)workers, cpus);
	return used < (int)sizeof(lcores) ? eal_add(eal, "--lcores=%s", lcores) : -E2BIG;
}

static bool
is_pci_addr(const char *device)
{
	unsigned int domain, bus, slot, function;

	return sscanf(device, "%4x:%2x:%2x.%1x", &domain, &bus, &slot, &function) == 4;
}

/* PCI devices only when one is wanted: EAL would take every one that is bound to it. */
static int
eal_add_devices(struct eal_args *eal, const struct args *args, int argc, char **argv)
{
	bool is_pci = false;
	int rc = 0;

	if (is_given(argc, argv, "-a --allow -b --block --no-pci"))
		return 0;
	for (uint32_t i = 0; rc == 0 && i < args->bearers_cnt; i++) {
		const char *device = strchr(args->bearers[i].name, ':') + 1;

		if (!is_pci_addr(device))
			continue;
		is_pci = true;
		rc = eal_add(eal, "--allow=%s", device);
	}
	return rc == 0 && !is_pci ? eal_add(eal, "--no-pci") : rc;
}

int
eal_args_build(struct eal_args *eal, const struct args *args, int argc, char **argv,
	       uint32_t memory_mib)
{
	bool has_memory = is_given(argc, argv, "-m --socket-mem --legacy-mem --socket-limit");
	bool is_huge = hugepages_free_mib() >= memory_mib;
	int rc;

	memset(eal, 0, sizeof(*eal));
	rc = eal_add(eal, "dptipcd");
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = eal_add(eal, "%s", argv[i]);
	if (is_given(argc, argv, "--no-huge"))
		is_huge = false;
	else if (rc == 0 && !is_huge && !has_memory && !is_given(argc, argv, "--huge-dir"))
		rc = eal_add(eal, "--no-huge");
	else
		is_huge = true;
	/* Hugepages grow by need, ordinary memory is reserved once (touched when used). */
	if (rc == 0 && !is_huge && !has_memory)
		rc = eal_add(eal, "-m%u", memory_mib);
	/* EAL takes --in-memory only with hugepages. */
	if (rc == 0 && !is_given(argc, argv, "--in-memory --no-shconf --file-prefix"))
		rc = eal_add(eal, "%s", is_huge ? "--in-memory" : "--no-shconf");
	if (rc == 0 && !is_given(argc, argv, "--file-prefix"))
		rc = eal_add(eal, "--file-prefix=dptipc-%s", args->name);
	if (rc == 0 && !is_given(argc, argv, "--telemetry --no-telemetry"))
		rc = eal_add(eal, "--no-telemetry");
	if (rc == 0 && !is_given(argc, argv, "--log-level"))
		rc = eal_add(eal, "--log-level=*:error");
	eal->has_lcores = is_given(argc, argv, "-l -c --lcores -s -S");
	if (rc == 0 && !eal->has_lcores)
		rc = eal_add_lcores(eal, args->workers);
	return rc == 0 ? eal_add_devices(eal, args, argc, argv) : rc;
}
