#!/bin/sh
# Finds the program of one action and becomes it: install.sh NAME. Every action.yml runs this and nothing else.
#
# It looks where PROMOTE_BINARY points, then in the runner's caches, then at the release that release.json names or the mirror
# that PROMOTE_MIRROR names. A program from a cache, a release or a mirror has the hash that release.json names, so whoever pins
# the action by its commit pins the program too. A tree whose release.json names no version, such as a checkout of the main
# branch, is built from source. docs/delivery.md tells all of it.
#
# Nothing is written into the action's own tree: runners may share it, read-only. The last step is an exec, because a shell does
# not hand on the signal by which GitHub cancels a job.
set -eu

# fail TEXT... : one annotation per problem, then the end.
fail() {
	for text; do echo "::error title=promote::$text"; done
	exit 1
}

action=${1:-}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
case $action in
'' | *[!a-z-]*) fail "install.sh: the first argument must be the name of an action, not '$action'" ;;
esac
[ -f "$root/actions/$action/main.go" ] || fail "install.sh: there is no action '$action' in $root/actions"

# A runner that brings the programs along needs nothing else.
if [ -n "${PROMOTE_BINARY:-}" ]; then
	case $PROMOTE_BINARY in
	/* | [A-Za-z]:[/\\]*) ;;
	*) fail "PROMOTE_BINARY is '$PROMOTE_BINARY'; it must be an absolute path: a relative one would name a file of the checkout, which a pull request can write" ;;
	esac
	program=$PROMOTE_BINARY
	if [ -d "$program" ]; then
		program=$program/$action
		[ -f "$program" ] || program=$program.exe
	fi
	case ${program##*[/\\]} in
	"$action" | "$action.exe") ;;
	*) fail "PROMOTE_BINARY is '$PROMOTE_BINARY', which is not called '$action'; name a folder that holds the programs of all actions under their names, or set it for this step alone" ;;
	esac
	[ -f "$program" ] || fail "PROMOTE_BINARY: there is no file $program"
	[ -x "$program" ] || fail "PROMOTE_BINARY: $program may not be executed by this user ($(id -un 2>/dev/null || id -u))"
	exec "$program"
fi

platform=$(uname -sm)
case $platform in
Linux\ x86_64) platform=linux_amd64 ;;
Linux\ aarch64 | Linux\ arm64) platform=linux_arm64 ;;
Darwin\ x86_64) platform=darwin_amd64 ;;
Darwin\ arm64) platform=darwin_arm64 ;;
MINGW*\ x86_64 | MSYS*\ x86_64) platform=windows_amd64 ;;
MINGW*\ aarch64 | MSYS*\ aarch64) platform=windows_arm64 ;;
esac
case $platform in windows_*) exe=.exe ;; *) exe= ;; esac

# release.json has a line for the version, one for the address and one for each program: its name, the hash of the program and
# the hash of what is downloaded. It is written by hack/release, one field a line, and a test holds that form.
version='' url='' sha256='' packed=''
while IFS='"' read -r _ name _ a _ b _ _ _ c _; do
	case $name in
	version) version=$a ;;
	url) url=$a ;;
	"${action}_$platform") sha256=$b packed=$c ;;
	esac
done <"$root/release.json"

# become is the end: $1 is the program. Its folder is touched, because what nobody started for a month is removed.
become() {
	touch -c "${1%/*}" 2>/dev/null || true
	exec "$1"
}

# hash_of prints the SHA-256 of a file.
hash_of() {
	if command -v sha256sum >/dev/null 2>&1; then
		set -- "$(sha256sum <"$1")"
	elif command -v shasum >/dev/null 2>&1; then
		set -- "$(shasum -a 256 <"$1")"
	else
		set -- "$(openssl dgst -sha256 -r <"$1")"
	fi
	printf '%s\n' "${1%% *}"
}

# stamp_of prints what changes when anybody writes to a file, however carefully: which file it is, its size, its times, the one
# of the last change of its inode among them, which nobody can set. The machine's start is a part of it, because after a crash a
# file may have lost what was written. Nothing is printed where these are not to be had; then every start takes the hash.
stamp_of() {
	start=
	if [ -r /proc/sys/kernel/random/boot_id ]; then
		read -r start </proc/sys/kernel/random/boot_id
	elif [ "${platform%_*}" = darwin ]; then
		start=$(sysctl -n kern.bootsessionuuid 2>/dev/null) || start=
	fi
	[ -n "$start" ] || return 0
	times=$(stat -c '%d %i %s %y %z' "$1" 2>/dev/null || stat -f '%d %i %z %Fm %Fc' "$1" 2>/dev/null) || return 0
	printf '%s %s\n' "$start" "$times"
}

# intact says whether a file in a cache is the program. Its hash is taken once; a file with the stamp that it had then is
# believed. Whoever can forge that can also write to this script: both belong to the runner's user.
intact() {
	[ -x "$1" ] || return 1
	stamp=$(stamp_of "$1") was=
	[ ! -r "$1.complete" ] || read -r was <"$1.complete" || true
	[ -z "$stamp" ] || [ "$was" != "$sha256 $stamp" ] || return 0
	[ "$(hash_of "$1")" = "$sha256" ] || return 1
	if [ -n "$stamp" ] && printf '%s\n' "$sha256 $stamp" >"$1.complete.$$" 2>/dev/null; then
		mv -f "$1.complete.$$" "$1.complete" 2>/dev/null || rm -f "$1.complete.$$"
	fi
	return 0
}

# Every cache may have the program, also one that this user cannot write to. The first that can be written to keeps a new one.
cache=
for base in "${RUNNER_TOOL_CACHE:-}" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}" "${RUNNER_TEMP:-}"; do
	[ -n "$base" ] || continue
	if [ -n "$version" ] && [ -f "$base/promote/$version/$platform/$action$exe" ]; then
		! intact "$base/promote/$version/$platform/$action$exe" || become "$base/promote/$version/$platform/$action$exe"
		echo "promote: $base/promote/$version/$platform/$action$exe is not the program of $version; it is replaced"
	fi
	if [ -z "$cache" ] && mkdir -p "$base/promote" 2>/dev/null && [ -w "$base/promote" ]; then
		cache=$base/promote
	fi
done
[ -n "$cache" ] || fail "promote found no folder to keep its program in; set RUNNER_TOOL_CACHE or HOME to one that this user ($(id -un 2>/dev/null || id -u)) may write to"

if [ -n "$version" ]; then
	. "$root/actions/install-fetch.sh"
else
	. "$root/actions/install-build.sh"
fi
