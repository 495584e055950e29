/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target on the files, or on all files of the folders, that are named as
 * arguments: the corpus as a regression test, or one input that has crashed.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FUZZ_INPUT_BYTES_MAX (1 << 20)

static unsigned int runs_cnt;

static int
fuzz_file(const char *path)
{
	uint8_t *data = NULL;
	FILE *file = fopen(path, "rb");
	struct stat st;
	int rc = -1;

	if (file == NULL || fstat(fileno(file), &st) != 0 || st.st_size > FUZZ_INPUT_BYTES_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		goto out;
	}
	/* Exactly as long as the input, so that a sanitizer sees the first octet too many. */
	data = malloc((size_t)st.st_size + (st.st_size == 0));
	if (data == NULL || fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		fprintf(stderr, "%s: read error\n", path);
		goto out;
	}
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	runs_cnt++;
	rc = 0;
out:
	free(data);
	if (file != NULL)
		fclose(file);
	return rc;
}

static int
fuzz_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];
	int rc = 0;

	if (dir == NULL)
		return fuzz_file(path);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		rc = fuzz_file(name);
	}
	closedir(dir);
	return rc;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (fuzz_folder(argv[i]) != 0)
			return 2;
	}
	if (runs_cnt == 0) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	printf("%u inputs\n", runs_cnt);
	return 0;
}
