package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// allowed are the variables of a runner that code of a pull request may have: what a shell and tools need to work, where tools
// keep what they have downloaded, how the network is reached, and facts about the run that the pull request's author can see
// anyway. Whatever else a runner has may be a credential, or steer a later step, and is passed on by name only.
var allowed = []string{
	// the user and the machine
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LANGUAGE", "LC_*", "DISPLAY", "LD_LIBRARY_PATH",
	// the network
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
	// the run; of GITHUB_* no file and no token
	"CI", "GITHUB_ACTIONS", "GITHUB_ACTOR", "GITHUB_ACTOR_ID", "GITHUB_API_URL", "GITHUB_BASE_REF", "GITHUB_EVENT_NAME", "GITHUB_GRAPHQL_URL",
	"GITHUB_HEAD_REF", "GITHUB_JOB", "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "GITHUB_REPOSITORY", "GITHUB_REPOSITORY_ID",
	"GITHUB_REPOSITORY_OWNER", "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_SERVER_URL", "GITHUB_SHA",
	"GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW", "GITHUB_WORKSPACE", "RUNNER_ARCH", "RUNNER_ENVIRONMENT", "RUNNER_NAME", "RUNNER_OS",
	"RUNNER_TEMP", "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY",
	// tools: where they are, and where they keep what they downloaded
	"XDG_CACHE_HOME", "GOROOT", "GOPATH", "GOBIN", "GOCACHE", "GOMODCACHE", "GOTOOLCHAIN", "GOFLAGS", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY",
	"GOPRIVATE", "CGO_ENABLED", "NODE_PATH", "NVM_DIR", "PNPM_HOME", "COREPACK_HOME", "npm_config_cache", "NPM_CONFIG_CACHE", "YARN_CACHE_FOLDER",
	"PLAYWRIGHT_BROWSERS_PATH", "CYPRESS_CACHE_FOLDER", "PUPPETEER_CACHE_DIR", "CHROME_BIN", "pythonLocation", "VIRTUAL_ENV", "PIP_CACHE_DIR",
	"UV_CACHE_DIR", "POETRY_CACHE_DIR", "JAVA_HOME", "JAVA_HOME_*", "GRADLE_USER_HOME", "MAVEN_HOME", "M2_HOME", "CARGO_HOME", "RUSTUP_HOME",
	"GEM_HOME", "GEM_PATH", "BUNDLE_PATH", "COMPOSER_HOME", "COMPOSER_CACHE_DIR", "DOTNET_ROOT", "DOTNET_CLI_HOME", "NUGET_PACKAGES",
}

// reserved steer later steps of the job, or are what an action was called with; nothing passes them on.
var reserved = append([]string{"PROMOTE_*", "BASH_ENV", "ENV"}, steering...)

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// withPassword is a URL that has a user's name or a token in it, as that of a package server may.
	withPassword = regexp.MustCompile(`://[^/@\s]+@`)
)

// Environ gives the environment for code of a pull request: what is harmless of the runner's, and besides that what the
// workflow's author names, each as NAME or NAME=value; later ones win. withheld has the names of what was left out, sorted.
func Environ(runner, named []string) (environ, withheld []string) {
	asked := map[string]bool{}
	for _, each := range named {
		name, _, given := strings.Cut(each, "=")
		asked[name] = !given
	}
	for _, entry := range runner {
		name, value, _ := strings.Cut(entry, "=")
		byName, isAsked := asked[name]
		switch {
		case isAsked && byName, !isAsked && harmless(name, value):
			environ = append(environ, entry)
		case !isAsked && !matchesAny(reserved, name):
			withheld = append(withheld, name)
		}
	}
	for _, each := range named {
		if strings.Contains(each, "=") {
			environ = append(environ, each)
		}
	}
	slices.Sort(withheld)
	return environ, slices.Compact(withheld)
}

// harmless says whether a variable is passed on unasked. Of what is allowed, only a proxy may hold a password: without it there
// is no network.
func harmless(name, value string) bool {
	proxy := strings.HasSuffix(strings.ToUpper(name), "_PROXY")
	return matchesAny(allowed, name) && (proxy || !withPassword.MatchString(value))
}

// CheckNamed refuses what [Environ] would not take of a workflow's author.
func CheckNamed(named []string) error {
	for _, each := range named {
		name, _, _ := strings.Cut(each, "=")
		switch {
		case !variableName.MatchString(name):
			// The whole may be a secret that landed in the wrong place.
			return fmt.Errorf("has an entry that is neither NAME nor NAME=value, with NAME of letters, digits and underscores")
		case matchesAny(reserved, name):
			return fmt.Errorf("has %s, which is the runner's or promote's own and never passed on", name)
		}
	}
	return nil
}

// matchesAny compares a name with names, of which some end in * for all that begin so.
func matchesAny(names []string, name string) bool {
	return slices.ContainsFunc(names, func(each string) bool {
		prefix, open := strings.CutSuffix(each, "*")
		return name == each || open && strings.HasPrefix(name, prefix)
	})
}

// ParseNamed reads variables as a workflow's author writes them: NAME=value takes a line of its own, names alone may share one,
// separated by commas.
func ParseNamed(text string) []string {
	var named []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "=") {
			named = append(named, line)
			continue
		}
		for _, name := range strings.Split(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				named = append(named, name)
			}
		}
	}
	return named
}
