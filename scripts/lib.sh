# SPDX-License-Identifier: BSD-3-Clause
# Shared by the shell programs of scripts/; source it, do not run it.
# shellcheck shell=bash

set -euo pipefail

# The top of the tree; every script runs from there.
DPT_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DPT_TOP
# iproute2, tcpdump and testpmd are in the sbin directories of some systems.
PATH=$PATH:/usr/sbin:/sbin
cd "$DPT_TOP"

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Print a command, then run it.
run()
{
	printf '+ %s\n' "$*"
	"$@"
}

# Print a command, then become it.
run_exec()
{
	printf '+ %s\n' "$*"
	exec "$@"
}

# The comment block after the SPDX line of a script is its help text.
usage()
{
	awk 'NR <= 2 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
}

# want_help ARGS...: print the help text and leave when it is asked for.
want_help()
{
	local word

	for word in "$@"; do
		case $word in
		-h | --help)
			usage
			exit 0
			;;
		--)
			return 0
			;;
		esac
	done
}

# The C sources of the tree: tracked ones, and new ones that git does not ignore.
# A tree without git (a source archive) is searched instead.
c_files()
{
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' |
			xargs -0r -n1 sh -c '[ -f "$0" ] && printf "%s\n" "$0" || true'
	else
		find . \( -name 'build*' -o -name .git \) -prune -o \
			-name '*.[ch]' -print | sed 's|^\./||'
	fi
}
