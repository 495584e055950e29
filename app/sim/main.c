/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-sim: the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dpt_mutant.h"
#include "work.h"

static const char sim_help[] =
	"dptipc-sim [OPTION...]: clusters of TIPC nodes on a virtual clock and network\n"
	"\n"
	"  --seed N         one run, in this process\n"
	"  --seeds A-B|CNT  many runs (default 100: seeds 1 to 100)\n"
	"  --nodes N        nodes of the cluster, 2 to 64 (default: from the seed)\n"
	"  --wires W        wires between them, 1 or 2 (default: from the seed)\n"
	"  --shards K       shards of a node, 1 or 2 (default: from the seed)\n"
	"  --seconds V      virtual seconds of the phase with faults (default: from the seed)\n"
	"  --gap MS         time between sends of one socket (default: from the seed)\n"
	"  --conns N        connections that a node tries to have (default: from the seed)\n"
	"  --faults LIST    all (default: the seed chooses among all), none, or names\n"
	"                   separated by commas: all of these and no others\n"
	"  --scenario NAME  a fixed course instead of chance, for transcripts; --scenario list\n"
	"                   names them\n"
	"  --mutant NAME    run with a planted bug (a build with -Dmutants=true)\n"
	"  --list-mutants   names and texts of the planted bugs\n"
	"  --trace FILE     transcript of a single run\n"
	"  --pcap FILE      capture of all frames of a single run\n"
	"  --first          stop at the first violation\n"
	"  -j, --jobs N     processes (default: one for each processor)\n"
	"  --arcs           how often each event met each state of links and nodes\n"
	"  -v, --verbose    each run's options and figures\n"
	"\n"
	"Faults:\n";

enum {
	OPT_SEED = 256,
	OPT_SEEDS,
	OPT_NODES,
	OPT_SHARDS,
	OPT_SECONDS,
	OPT_FAULTS,
	OPT_SCENARIO,
	OPT_MUTANT,
	OPT_LIST_MUTANTS,
	OPT_TRACE,
	OPT_PCAP,
	OPT_FIRST,
	OPT_WIRES,
	OPT_GAP,
	OPT_ARCS,
	OPT_CONNS,
};

static const struct option sim_options[] = {
	{"seed", required_argument, NULL, OPT_SEED},
	{"seeds", required_argument, NULL, OPT_SEEDS},
	{"nodes", required_argument, NULL, OPT_NODES},
	{"shards", required_argument, NULL, OPT_SHARDS},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"faults", required_argument, NULL, OPT_FAULTS},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"mutant", required_argument, NULL, OPT_MUTANT},
	{"list-mutants", no_argument, NULL, OPT_LIST_MUTANTS},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"pcap", required_argument, NULL, OPT_PCAP},
	{"first", no_argument, NULL, OPT_FIRST},
	{"jobs", required_argument, NULL, 'j'},
	{"wires", required_argument, NULL, OPT_WIRES},
	{"conns", required_argument, NULL, OPT_CONNS},
	{"gap", required_argument, NULL, OPT_GAP},
	{"arcs", no_argument, NULL, OPT_ARCS},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
sim_usage(void)
{
	uint32_t f;

	fputs(sim_help, stdout);
	for (f = 0; f < SIM_FAULT_CNT; f++)
		printf("  %-16s %s\n", sim_fault_names[f], sim_fault_texts[f]);
}

static int
sim_bad(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "dptipc-sim: %s %s: wanted is %s; see --help\n", option, value, wanted);
	return -1;
}

static int
sim_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char wanted[64];
	char *end;

	*value = strtoull(text, &end, 10);
	if (*text != '\0' && *text != '-' && *end == '\0' && *value >= min && *value <= max)
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return sim_bad(option, text, wanted);
}

static int
sim_seeds(struct sim_opts *opts, const char *text)
{
	unsigned long long first, last;
	char rest;

	if (sscanf(text, "%llu-%llu%c", &first, &last, &rest) == 2 && first <= last) {
		opts->seed_first = first;
		opts->seed_cnt = last - first + 1;
		return 0;
	}
	opts->seed_first = 1;
	return sim_number("--seeds", text, 1, 1000000000, &opts->seed_cnt);
}

static int
sim_small(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t wide;

	if (sim_number(option, text, min, max, &wide) < 0)
		return -1;
	*value = (uint32_t)wide;
	return 0;
}

static int
sim_list_mutants(void)
{
	uint32_t i;

	for (i = 1; i < DPT_MUTANT_CNT; i++)
		printf("%-24s %s\n", dpt_mutant_names[i], dpt_mutant_texts[i]);
	return 0;
}

static int
sim_mutant(struct sim_opts *opts, const char *name)
{
	uint32_t i;

	for (i = 1; i < DPT_MUTANT_CNT; i++) {
		if (strcmp(name, dpt_mutant_names[i]) != 0)
			continue;
		opts->mutant = name;
#ifdef DPT_MUTANTS
		dpt_mutant_on = (enum dpt_mutant)i;
		return 0;
#else
		fprintf(stderr, "dptipc-sim: this build has no planted bugs: "
				"./scripts/build --mutants makes one that has\n");
		return -1;
#endif
	}
	return sim_bad("--mutant", name, "one of --list-mutants");
}

/* Returns 0, -1 after a message. */
static int
sim_option(struct sim_opts *opts, int option, const char *value)
{
	switch (option) {
	case OPT_SEED:
		opts->is_single = true;
		opts->seed_cnt = 1;
		return sim_number("--seed", value, 0, UINT64_MAX, &opts->seed_first);
	case OPT_SEEDS:
		return sim_seeds(opts, value);
	case OPT_NODES:
		return sim_small("--nodes", value, 2, SIM_NODES_MAX, &opts->nodes);
	case OPT_WIRES:
		return sim_small("--wires", value, 1, SIM_WIRES_MAX, &opts->wires);
	case OPT_GAP:
		return sim_small("--gap", value, 1, 1000000, &opts->gap_ms);
	case OPT_CONNS:
		return sim_small("--conns", value, 1, 64, &opts->conns);
	case OPT_SHARDS:
		return sim_small("--shards", value, 1, SIM_SHARDS_MAX, &opts->shards);
	case OPT_SECONDS:
		return sim_small("--seconds", value, 1, 1000000, &opts->seconds);
	case OPT_FAULTS:
		opts->faults_text = value;
		if (sim_faults_parse(value, &opts->faults, &opts->is_faults_exact) == 0)
			return 0;
		return sim_bad("--faults", value, "all, none or a list of faults");
	case OPT_SCENARIO:
		opts->scenario = value;
		return sim_script_plan(value, NULL)
			       ? 0
			       : sim_bad("--scenario", value, "one of --scenario list");
	case OPT_MUTANT:
		return sim_mutant(opts, value);
	case OPT_TRACE:
		opts->trace_path = value;
		return 0;
	case OPT_PCAP:
		opts->pcap_path = value;
		return 0;
	case OPT_FIRST:
		opts->is_first_only = true;
		return 0;
	case OPT_ARCS:
		opts->is_arcs = true;
		return 0;
	case 'v':
		opts->is_verbose = true;
		return 0;
	case 'j':
		return sim_small("--jobs", value, 1, SIM_JOBS_MAX, &opts->jobs);
	default:
		return -1;
	}
}

/* Returns 0 to go on, 1 when all is done, -1 after a message. */
static int
sim_args(struct sim_opts *opts, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "j:hv", sim_options, NULL)) != -1) {
		if (option == 'h') {
			sim_usage();
			return 1;
		}
		if (option == OPT_LIST_MUTANTS) {
			sim_list_mutants();
			return 1;
		}
		if (option == OPT_SCENARIO && strcmp(optarg, "list") == 0) {
			sim_script_names(stdout);
			return 1;
		}
		if (sim_option(opts, option, optarg) < 0)
			return -1;
	}
	if (optind < argc)
		return sim_bad("argument", argv[optind], "an option");
	if ((opts->trace_path != NULL || opts->pcap_path != NULL) && !opts->is_single)
		return sim_bad("--trace, --pcap", "with many seeds", "--seed N");
	return 0;
}

int
main(int argc, char **argv)
{
	struct sim_opts opts = {
		.seed_first = 1, .seed_cnt = 100, .faults = SIM_FAULTS_ALL, .jobs = 0};
	int ret = sim_args(&opts, argc, argv);

	if (ret != 0)
		return ret > 0 ? 0 : 1;
	if (opts.jobs == 0) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);

		opts.jobs = cpus < 1 ? 1 : cpus > SIM_JOBS_MAX ? SIM_JOBS_MAX : (uint32_t)cpus;
	}
	if (opts.jobs > opts.seed_cnt)
		opts.jobs = (uint32_t)opts.seed_cnt;
	return opts.is_single ? sim_single(&opts) : sim_many(&opts);
}
