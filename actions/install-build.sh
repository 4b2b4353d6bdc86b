# shellcheck shell=sh
# The part of install.sh that builds the program from the tree it lies in, and keeps it under the hash of all that went into it,
# so a runner builds each version once. It is for trees that no release was made of.
# shellcheck disable=SC2154,SC2164 # install.sh has set these, and set -e

# What a workflow sets for its own Go must not change ours.
unset GOOS GOARCH GOFLAGS GO111MODULE GOEXPERIMENT
export CGO_ENABLED=0 GOWORK=off

# find_go prints the Go to build with: the runner's, or one from the places where runners and this repository keep theirs.
find_go() {
	for go in "$(command -v go || true)" "${GOROOT:-/usr/local/go}/bin/go" /usr/local/go/bin/go \
		"${RUNNER_TOOL_CACHE:-/nowhere}"/go/*/*/bin/go "${XDG_CACHE_HOME:-${HOME:-/nowhere}/.cache}"/promote/go*/bin/go; do
		if [ -x "$go" ]; then
			printf '%s\n' "$go"
			return
		fi
	done
	return 1
}
go=$(find_go) || fail "promote builds its program from source and found no Go on this runner; put a step with actions/setup-go (go-version: stable) before this one, or install Go 1.26 or newer on the runner"

# The version asked for in the action's tree: with an older Go this fetches the one that go.mod names.
built_for=$(cd "$root" && "$go" env GOVERSION GOOS GOARCH 2>&1 | tr '\n' ' ') || built_for=
case $built_for in
go1.*) ;;
*) fail "promote needs the Go that its go.mod names, and $go cannot provide it: $built_for" ;;
esac

if command -v sha256sum >/dev/null 2>&1; then sha256='sha256sum'; else sha256='shasum -a 256'; fi
# Everything that can end up in a program: sources and embedded files, with their names.
# shellcheck disable=SC2086 # the words of $sha256 are a command and its options
key=$(
	cd "$root"
	{
		printf '%s\n' "$built_for"
		find go.mod go.sum actions pkg -type f ! -name '*_test.go' ! -name '*.md' ! -path '*/testdata/*' -print0 |
			LC_ALL=C sort -z | xargs -0 $sha256
	} | $sha256 | cut -c 1-32
)

cache=$cache/bin
mkdir -p "$cache"
program=$cache/$key/$action$exe
lock=$cache/$key.$action.lock
build=
work=

# leave cleans up after a build that did not get to its end.
leave() {
	[ -z "$build" ] || kill "$build" 2>/dev/null || true
	[ -z "$work" ] || rm -rf "$work"
	rm -rf "$lock"
}

# build_program makes $program. Two jobs at once each make a whole one and the rename decides; the lock only spares the second
# one the work, so one that is left over after its process died may simply be taken.
build_program() {
	while ! mkdir "$lock" 2>/dev/null; do
		owner=$(cat "$lock/pid" 2>/dev/null || true)
		if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
			rm -rf "$lock"
		elif [ -n "$(find "$lock" -maxdepth 0 -mmin +20 2>/dev/null)" ]; then
			rm -rf "$lock"
		else
			sleep 0.2
		fi
		[ ! -x "$program" ] || return 0
	done
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	echo $$ >"$lock/pid"
	if [ -x "$program" ]; then # made while this one waited
		leave
		trap - EXIT INT TERM
		return 0
	fi
	echo "promote: building '$action' from source, once for this version and runner"
	work=$(mktemp -d "$cache/.build.XXXXXX")
	# In the background, so that a signal is acted on at once and not when the compiler is done.
	(cd "$root" && exec "$go" build -mod=readonly -trimpath -buildvcs=false -ldflags='-s -w' -o "$work/$action$exe" "./actions/$action") &
	build=$!
	wait "$build" || {
		build=
		fail "promote could not build '$action' from $root; the lines above say why (no network for the Go module proxy? set GOPROXY on the runner)"
	}
	build=
	mkdir -p "$cache/$key"
	mv -f "$work/$action$exe" "$program"
	# Programs that nobody started for a month are of old versions.
	find "$cache" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} + 2>/dev/null || true
	leave
	work=
	trap - EXIT INT TERM
}

[ -x "$program" ] || build_program
become "$program"
