# shellcheck shell=bash disable=SC2016
# SPDX-License-Identifier: GPL-2.0
# apt.sh: lists and fetches Debian packages of all suites, separate from the system's
# apt. The system's lists and packages do not change; only its mirror and its keys
# are used. Sourced after lib.sh, never run.

# Suites that a mirror lacks are skipped.
SUITES="bookworm bookworm-backports trixie trixie-backports sid experimental"
SECURITY_SUITES="bookworm-security trixie-security"

# apt_state NAME [ARCH...]: sets where in the cache the lists are, and for which
# architectures; default: this machine's
apt_state()
{
	local arch

	apt_dir=$CACHE/$1
	shift
	apt_arches=$(IFS=,; echo "$*")
	apt_options=()
	for arch; do
		apt_options+=(-o "APT::Architectures::=$arch")
	done
	mkdir -p "$CACHE/logs" "$apt_dir"/{lists,cache}/partial \
		"$apt_dir/cache/archives/partial"
}

# Container images disable apt's cache of parsed lists. Each call would then
# parse all of them again, for 6 s.
apt_private()
{
	local tool=$1
	shift
	"$tool" -qq -o Dir::State::Lists="$apt_dir/lists" \
		-o Dir::Cache="$apt_dir/cache" \
		-o Dir::Cache::pkgcache=pkgcache.bin \
		-o Dir::Etc::SourceList="$apt_dir/sources.list" \
		-o Dir::Etc::SourceParts=- -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o APT::Update::Post-Invoke::= \
		${apt_options[@]+"${apt_options[@]}"} "$@"
}

apt_sources()
{
	local uri suite main='' security='' opts
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	need_program apt-get
	while read -r uri suite; do
		case $suite in
		*-security) security=${security:-$uri} ;;
		bullseye|bookworm|trixie|forky|sid|stable|testing|unstable)
			main=${main:-$uri} ;;
		esac
	done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
			'Created-By: Packages' | sort -u)
	[ -n "$main" ] || die "no Debian mirror in this system's apt sources${apt_instead:+; $apt_instead}"
	opts="arch=${apt_arches:-$(dpkg --print-architecture)}"
	[ ! -f "$keys" ] || opts="$opts signed-by=$keys"
	for suite in $SUITES; do
		echo "deb [$opts] $main $suite main"
	done
	for suite in $SECURITY_SUITES; do
		[ -z "$security" ] || echo "deb [$opts] $security $suite main"
	done
}

# Prints the line of apt's log with the error
apt_error()
{
	sed -nE '/No space left/ { s/^[EW]: //p; q }' "$CACHE/logs/apt.log" | grep . ||
		sed -nE '/^[EW]: / { s///p; q }' "$CACHE/logs/apt.log"
}

# need_space MB: fails early, because apt-get update hangs on a full disk.
need_space()
{
	local left

	left=$(($(df --output=avail -k "$CACHE" | tail -n 1) / 1024))
	[ "$left" -ge "$1" ] ||
		die "$CACHE has $left MB left, and $1 MB are needed: free some space, or set PTELAB_CACHE"
}

# apt_lists MINUTES COMMAND...: fetches the lists if they are older than that;
# the command must print something afterwards.
apt_lists()
{
	local max_age_min=$1

	shift
	if [ -n "$(find "$apt_dir/stamp" -mmin -"$max_age_min" 2>/dev/null)" ]; then
		return
	fi
	need_space 300
	progress "reading which kernels Debian has"
	apt_sources >"$apt_dir/sources.list"
	# Fails as a whole when one suite is missing on the mirror.
	apt_private apt-get update >"$CACHE/logs/apt.log" 2>&1 || true
	progress
	[ -n "$("$@")" ] ||
		die "Debian's package lists cannot be fetched: $(apt_error) ($CACHE/logs/apt.log)"
	touch "$apt_dir/stamp"
}
