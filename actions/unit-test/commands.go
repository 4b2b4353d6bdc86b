package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/org/promote/pkg/regular"
)

// goCommand tests every module of a workspace; `./...` is of one module alone.
func goCommand(dir string) string {
	if exists(dir, "go.work") {
		return "go list -m -f '{{.Dir}}/...' | xargs go test -json"
	}
	return "go test -json ./..."
}

// wrapped prefers the wrapper that the project brings along, since it pins the version.
func wrapped(wrapper, program, arguments string) func(string) string {
	return func(dir string) string {
		if exists(dir, wrapper) {
			return "./" + wrapper + " " + arguments
		}
		return program + " " + arguments
	}
}

// pythonCommand runs pytest in the environment that the lock file is of. -r names the tests that pytest-rerunfailures ran
// again, which are in no report, beside the usual failures and errors.
func pythonCommand(dir string) string {
	run := "python3 -m pytest"
	switch {
	case exists(dir, "uv.lock"):
		run = "uv run pytest"
	case exists(dir, "poetry.lock"):
		run = "poetry run pytest"
	case exists(dir, "Pipfile.lock"):
		run = "pipenv run pytest"
	}
	return run + ` -rfER --junitxml="$PROMOTE_REPORTS/pytest.xml" -o junit_family=xunit1`
}

// projectCap bounds, in bytes, a file that tells what kind of project a folder holds. Lock files of large projects have a few MiB.
const projectCap = 32 << 20

// packageJSON is the part of package.json that is read.
type packageJSON struct {
	Scripts         map[string]string `json:"scripts"`
	DevDependencies map[string]any    `json:"devDependencies"`
}

// nodeCommand installs what the lock file says and runs the script "test". Many projects of other kinds keep a package.json
// for tools alone: without that script it is no Node project.
func nodeCommand(dir string) string {
	data, err := regular.Read(filepath.Join(dir, "package.json"), projectCap)
	var manifest packageJSON
	// The last text is what `npm init` puts there.
	if err != nil || json.Unmarshal(data, &manifest) != nil || manifest.Scripts["test"] == "" ||
		strings.Contains(manifest.Scripts["test"], "no test specified") {
		return ""
	}
	before, after := nodeReporter(manifest)
	// npm takes options for itself up to a lone --, and `pnpm test` takes all of them, but `pnpm run test` and yarn hand them on.
	switch {
	case exists(dir, "pnpm-lock.yaml"):
		return "pnpm install --frozen-lockfile && " + before + "pnpm run test" + after
	case exists(dir, "yarn.lock"):
		return "yarn install --frozen-lockfile && " + before + "yarn test" + after
	}
	if after != "" {
		after = " --" + after
	}
	if exists(dir, "package-lock.json") || exists(dir, "npm-shrinkwrap.json") {
		return "npm ci && " + before + "npm test" + after
	}
	return "npm install && " + before + "npm test" + after
}

// nodeRunners are scripts that are one runner and nothing else, so that options may follow, and what makes it write JUnit.
var nodeRunners = []struct {
	script        *regexp.Regexp
	needs         string // in devDependencies
	before, after string
}{
	{regexp.MustCompile(`^node( -\S+)* --test( -\S+)*$`), "", "", ` --test-reporter=spec --test-reporter-destination=stdout` +
		` --test-reporter=junit --test-reporter-destination="$PROMOTE_REPORTS/node.xml"`},
	{regexp.MustCompile(`^vitest\b[^&|;<>]*$`), "", "", ` --reporter=default --reporter=junit --outputFile.junit="$PROMOTE_REPORTS/vitest.xml"`},
	{regexp.MustCompile(`^jest\b[^&|;<>]*$`), "jest-junit", `JEST_JUNIT_OUTPUT_DIR="$PROMOTE_REPORTS" `, " --reporters=default --reporters=jest-junit"},
}

// nodeReporter gives what to put around the script so that it writes JUnit; nothing where that is not known to work.
func nodeReporter(manifest packageJSON) (before, after string) {
	for _, r := range nodeRunners {
		if _, there := manifest.DevDependencies[r.needs]; r.script.MatchString(manifest.Scripts["test"]) && (r.needs == "" || there) {
			return r.before, r.after
		}
	}
	return "", ""
}

// nextestProfile is a profile of cargo-nextest that writes JUnit; cargo's own runner can't.
var nextestProfile = regexp.MustCompile(`(?m)^\s*\[profile\.([A-Za-z0-9_-]+)\.junit\]`)

const nextestConfig = ".config/nextest.toml"

func nextest(dir string) string {
	data, err := regular.Read(filepath.Join(dir, filepath.FromSlash(nextestConfig)), projectCap)
	if m := nextestProfile.FindSubmatch(data); err == nil && m != nil {
		return string(m[1])
	}
	return ""
}

func rustCommand(dir string) string {
	if profile := nextest(dir); profile != "" {
		return "cargo nextest run --no-fail-fast --profile " + profile
	}
	return "cargo test --no-fail-fast"
}

func nextestReports(dir string) []string {
	if profile := nextest(dir); profile != "" {
		return []string{"target/nextest/" + profile + "/*.xml"}
	}
	return nil
}

func rubyCommand(dir string) string {
	switch {
	case exists(dir, ".rspec"), exists(dir, "spec"):
		if mentions(dir, "Gemfile.lock", "rspec_junit_formatter") {
			return `bundle exec rspec --format progress --format RspecJunitFormatter --out "$PROMOTE_REPORTS/rspec.xml"`
		}
		return "bundle exec rspec"
	case exists(dir, "bin/rails") && exists(dir, "test"):
		return "bin/rails test"
	case exists(dir, "Rakefile"):
		return "bundle exec rake test"
	}
	return ""
}

func phpCommand(dir string) string {
	program := "vendor/bin/phpunit"
	if mentions(dir, "composer.json", `"pestphp/pest"`) {
		program = "vendor/bin/pest"
	}
	return program + ` --log-junit "$PROMOTE_REPORTS/phpunit.xml"`
}

// dotnetCommand asks for JUnit where the project has the logger for it.
func dotnetCommand(dir string) string {
	for _, pattern := range []string{"*.csproj", "*.fsproj", "*.vbproj", "Directory.Packages.props", "Directory.Build.props", "*/*.csproj", "*/*/*.csproj"} {
		files, _ := filepath.Glob(filepath.Join(globEscape(dir), pattern))
		for _, file := range files {
			if mentions(filepath.Dir(file), filepath.Base(file), "JunitXml.TestLogger") {
				return `dotnet test --logger "junit;LogFilePath=$PROMOTE_REPORTS/{assembly}.{framework}.xml"`
			}
		}
	}
	return "dotnet test"
}
