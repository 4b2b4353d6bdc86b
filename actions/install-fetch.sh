# shellcheck shell=sh
# The part of install.sh that gets the program of a release: from the mirror when there is one, or else from the release.
# shellcheck disable=SC2154,SC2020 # install.sh has set these; tr makes a line of each

others=
while IFS='"' read -r _ name _; do
	case $name in "${action}"_*) others="$others ${name#"$action"_}" ;; esac
done <"$root/release.json"
[ -n "$packed" ] || fail "promote $version has no program '$action' for this runner's platform, $platform; it has one for$others. Build it from this version's source (go build ./actions/$action) and name the folder that it is in with PROMOTE_BINARY"

asset=${action}_$platform.gz
home=$cache/$version/$platform
program=$home/$action$exe
transfer=
work=

# leave cleans up after a fetch that did not get to its end.
leave() {
	[ -z "$transfer" ] || kill "$transfer" 2>/dev/null || true
	[ -z "$work" ] || rm -rf "$work"
}

# carry becomes curl or wget, with the proxies in the spelling that both read.
carry() {
	export http_proxy="${http_proxy:-${HTTP_PROXY:-}}" https_proxy="${https_proxy:-${HTTPS_PROXY:-}}" no_proxy="${no_proxy:-${NO_PROXY:-}}"
	exec "$@"
}

# reason prints the last that was said.
reason() {
	sed -n '/./h;${g;p;}' "$work/said"
}

# fetch gets the address $1 into the file $2. It runs in the background, so that a signal is acted on at once.
fetch() {
	if command -v curl >/dev/null 2>&1; then
		carry curl -fsSL --retry 3 --connect-timeout 20 --speed-limit 1000 --speed-time 60 -o "$2" "$1" 2>"$work/said" &
	elif command -v wget >/dev/null 2>&1; then
		# BusyBox has one too, with fewer words.
		case $(wget --version 2>/dev/null) in
		*GNU*) carry wget -T 60 -t 3 -O "$2" "$1" 2>"$work/said" & ;;
		*) carry wget -O "$2" "$1" 2>"$work/said" & ;;
		esac
	else
		fail "promote found neither curl nor wget to get its program with; install one of them, or bring the program along and name its folder with PROMOTE_BINARY"
	fi
	transfer=$!
	code=0
	wait "$transfer" || code=$?
	transfer=
	return "$code"
}

# ask is curl with the token, which goes in by a pipe: the arguments of a process can be seen by all. It follows no redirect.
ask() {
	printf 'header = "Authorization: Bearer %s"\n' "$INPUT_GITHUB_TOKEN" | (carry curl -sS --max-time 60 -K - "$@") 2>"$work/said"
}

# fetch_private gets the file $1 from a release in a private repository. Its address answers 404 whatever comes along; its API
# takes the token, and redirects to a storage that must not see it. Only the API of the GitHub that the job runs on gets it.
fetch_private() {
	repository=${url#"${GITHUB_SERVER_URL:-none}/"}
	repository=${repository%%/releases/download/*}
	case ${GITHUB_API_URL:-} in
	"https://api.${GITHUB_SERVER_URL#*://}" | "$GITHUB_SERVER_URL/api/v3") ;;
	*) return 1 ;;
	esac
	ask -f -o "$work/release" "$GITHUB_API_URL/repos/$repository/releases/tags/$version" || return 1
	# A field a line: an asset's address comes before its name, and nothing between them has such an address.
	number=$(tr ',{}' '\n\n\n' <"$work/release" | sed -n \
		-e '\|^[[:space:]]*"url":.*/releases/assets/[0-9]*"|{s|.*/\([0-9]*\)".*|\1|;h;}' \
		-e "/^[[:space:]]*\"name\":[[:space:]]*\"$asset\"/{g;p;}")
	[ -n "$number" ] || return 1
	answer=$(ask -o "$1" -H 'Accept: application/octet-stream' -w '%{http_code} %{redirect_url}' "$GITHUB_API_URL/repos/$repository/releases/assets/$number") || return 1
	case $answer in
	200\ *) ;;
	30[1278]\ http*) fetch "${answer#* }" "$1" ;;
	*) return 1 ;;
	esac
}

# get brings the file $1 from wherever it is.
get() {
	case ${PROMOTE_MIRROR:-} in
	'')
		fetch "$url/$asset" "$1" && return
		why=$(reason)
		case $url in
		"${GITHUB_SERVER_URL:-none}"/*) [ -n "${INPUT_GITHUB_TOKEN:-}" ] && command -v curl >/dev/null 2>&1 && fetch_private "$1" && return ;;
		esac
		fail "promote could not get $asset of $version from $url ($why); a runner without a way there needs a mirror: set PROMOTE_MIRROR to its address or to a folder"
		;;
	http://* | https://*)
		fetch "${PROMOTE_MIRROR%/}/$version/$asset" "$1" ||
			fail "promote could not get $asset of $version from PROMOTE_MIRROR, ${PROMOTE_MIRROR%/}/$version/$asset ($(reason))"
		;;
	/* | file:///* | [A-Za-z]:[/\\]*)
		from=${PROMOTE_MIRROR#file://}
		if [ -d "$from" ]; then
			cp "$from/$version/$asset" "$1" 2>"$work/said"
		else
			tar -xOf "$from" "$version/$asset" >"$1" 2>"$work/said"
		fi || fail "promote could not get $version/$asset from PROMOTE_MIRROR, $from ($(reason)); it must be a folder or a tar file that holds it"
		;;
	*) fail "PROMOTE_MIRROR is '$PROMOTE_MIRROR'; it must be an http or https address, or the absolute path of a folder or a tar file" ;;
	esac
}

# check ends the run when a file is not what release.json names; it is never started.
check() {
	found=$(hash_of "$1")
	[ "$found" = "$2" ] || fail "promote $version: $asset has the wrong $3: SHA-256 $found, want $2. It came from ${PROMOTE_MIRROR:-$url} and was removed; do not use that source until it is known why"
}

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "$cache/.fetch.XXXXXX")
echo "promote: getting '$action' $version for $platform, once for this version and runner"
get "$work/packed"
check "$work/packed" "$packed" 'content'
gzip -dc <"$work/packed" >"$work/$action" || fail "promote could not unpack $asset into $cache; is the disk full?"
check "$work/$action" "$sha256" 'program in it'
chmod 755 "$work/$action"
mkdir -p "$home"
# Two jobs at once each have a whole one, and the rename decides. Where a program that runs can't be replaced, it stays.
mv -f "$work/$action" "$program" 2>/dev/null || intact "$program" || fail "promote could not write $program"
# What nobody started for a month, and what a killed run left behind.
find "$cache" -mindepth 2 -maxdepth 2 -path '*/v[0-9]*' -mtime +30 -exec rm -rf {} + 2>/dev/null || true
find "$cache" -mindepth 1 -maxdepth 1 -name '.fetch.*' -mmin +120 -exec rm -rf {} + 2>/dev/null || true
leave
work=
trap - EXIT INT TERM
intact "$program" || fail "promote $version: $program was changed while it was installed"
become "$program"
