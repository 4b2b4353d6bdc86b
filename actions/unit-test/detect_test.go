package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/promote/pkg/tests"
)

// folder makes files with content; a name that ends in / is a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDetect(t *testing.T) {
	script := `{"scripts": {"test": "jest"}}`
	for name, test := range map[string]struct {
		files         map[string]string
		kind, command string
	}{
		"Go":                               {map[string]string{"go.mod": ""}, "Go", "go test -json ./..."},
		"Go with a package.json for tools": {map[string]string{"go.mod": "", "package.json": `{"devDependencies": {}}`}, "Go", "go test -json ./..."},
		"Node without a lock file":         {map[string]string{"package.json": script}, "Node", "npm install && npm test"},
		"Node with npm":                    {map[string]string{"package.json": script, "package-lock.json": ""}, "Node", "npm ci && npm test"},
		"Node with yarn":                   {map[string]string{"package.json": script, "yarn.lock": ""}, "Node", "yarn install --frozen-lockfile && yarn test"},
		"Node with pnpm":                   {map[string]string{"package.json": script, "pnpm-lock.yaml": ""}, "Node", "pnpm install --frozen-lockfile && pnpm run test"},
		"Node with its own runner": {
			map[string]string{"package.json": `{"scripts": {"test": "node --test"}}`, "package-lock.json": ""}, "Node",
			`npm ci && npm test -- --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination="$PROMOTE_REPORTS/node.xml"`,
		},
		"Node with a runner that is given files, after which no option may come": {
			map[string]string{"package.json": `{"scripts": {"test": "node --test test/"}}`}, "Node", "npm install && npm test",
		},
		"Node with vitest, in pnpm": {
			map[string]string{"package.json": `{"scripts": {"test": "vitest run"}}`, "pnpm-lock.yaml": ""}, "Node",
			`pnpm install --frozen-lockfile && pnpm run test --reporter=default --reporter=junit --outputFile.junit="$PROMOTE_REPORTS/vitest.xml"`,
		},
		"Node with jest and its reporter": {
			map[string]string{"package.json": `{"scripts": {"test": "jest --ci"}, "devDependencies": {"jest-junit": "^16"}}`, "yarn.lock": ""}, "Node",
			`yarn install --frozen-lockfile && JEST_JUNIT_OUTPUT_DIR="$PROMOTE_REPORTS" yarn test --reporters=default --reporters=jest-junit`,
		},
		"Node with a script of several commands": {
			map[string]string{"package.json": `{"scripts": {"test": "vitest run && tsc"}}`}, "Node", "npm install && npm test",
		},
		"a Go workspace": {map[string]string{"go.work": "", "go.mod": ""}, "Go", "go list -m -f '{{.Dir}}/...' | xargs go test -json"},
		"Python": {
			map[string]string{"requirements.txt": ""}, "Python",
			`python3 -m pytest -rfER --junitxml="$PROMOTE_REPORTS/pytest.xml" -o junit_family=xunit1`,
		},
		"Python with uv": {
			map[string]string{"pyproject.toml": "", "uv.lock": ""}, "Python",
			`uv run pytest -rfER --junitxml="$PROMOTE_REPORTS/pytest.xml" -o junit_family=xunit1`,
		},
		"Python with poetry": {
			map[string]string{"pyproject.toml": "", "poetry.lock": ""}, "Python",
			`poetry run pytest -rfER --junitxml="$PROMOTE_REPORTS/pytest.xml" -o junit_family=xunit1`,
		},
		"Python with pipenv": {
			map[string]string{"setup.cfg": "", "Pipfile.lock": ""}, "Python",
			`pipenv run pytest -rfER --junitxml="$PROMOTE_REPORTS/pytest.xml" -o junit_family=xunit1`,
		},
		"Rust with nextest, of which a profile writes JUnit": {
			map[string]string{"Cargo.toml": "", ".config/nextest.toml": "[profile.ci.junit]\npath = \"junit.xml\"\n"}, "Rust",
			"cargo nextest run --no-fail-fast --profile ci",
		},
		"Rust with nextest without JUnit": {map[string]string{"Cargo.toml": "", ".config/nextest.toml": "[profile.ci]\n"}, "Rust", "cargo test --no-fail-fast"},
		"Ruby with specs and their formatter": {
			map[string]string{".rspec": "", "Gemfile.lock": "    rspec_junit_formatter (0.6.0)\n"}, "Ruby",
			`bundle exec rspec --format progress --format RspecJunitFormatter --out "$PROMOTE_REPORTS/rspec.xml"`,
		},
		"Ruby on Rails": {map[string]string{"Gemfile": "", "Rakefile": "", "bin/rails": "", "test/": ""}, "Ruby", "bin/rails test"},
		"PHP":           {map[string]string{"composer.json": "{}"}, "PHP", `vendor/bin/phpunit --log-junit "$PROMOTE_REPORTS/phpunit.xml"`},
		"PHP with Pest": {
			map[string]string{"composer.json": `{"require-dev": {"pestphp/pest": "^3.0"}}`}, "PHP",
			`vendor/bin/pest --log-junit "$PROMOTE_REPORTS/phpunit.xml"`,
		},
		".NET with a logger for JUnit": {
			map[string]string{"shop.sln": "", "test/Shop.Tests/Shop.Tests.csproj": `<PackageReference Include="JunitXml.TestLogger" />`}, ".NET",
			`dotnet test --logger "junit;LogFilePath=$PROMOTE_REPORTS/{assembly}.{framework}.xml"`,
		},
		"Maven":                  {map[string]string{"pom.xml": ""}, "Java (Maven)", "mvn --batch-mode --fail-at-end test"},
		"Maven with its wrapper": {map[string]string{"pom.xml": "", "mvnw": ""}, "Java (Maven)", "./mvnw --batch-mode --fail-at-end test"},
		"Gradle":                 {map[string]string{"build.gradle.kts": ""}, "Java (Gradle)", "gradle cleanTest test --continue"},
		"Rust":                   {map[string]string{"Cargo.toml": ""}, "Rust", "cargo test --no-fail-fast"},
		"Ruby with specs":        {map[string]string{"Gemfile": "", "spec/": ""}, "Ruby", "bundle exec rspec"},
		"Ruby with rake":         {map[string]string{"Gemfile": "", "Rakefile": ""}, "Ruby", "bundle exec rake test"},
		".NET":                   {map[string]string{"shop.sln": ""}, ".NET", "dotnet test"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := detect(folder(t, test.files))
			if err != nil || got.kind != test.kind || got.command != test.command {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"an empty folder":                    {nil, "holds no project that is known by its files (Go, Node"},
		"a package.json fresh from npm init": {map[string]string{"package.json": `{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}`}, "holds no project"},
		"a Gemfile without tests":            {map[string]string{"Gemfile": ""}, "holds no project"},
		"two kinds":                          {map[string]string{"go.mod": "", "pyproject.toml": ""}, "several projects: Go (go.mod), Python (pyproject.toml)"},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			if got, err := detect(folder(t, test.files)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestReportsOfDetectedProjects(t *testing.T) {
	for name, test := range map[string]struct {
		files  map[string]string
		report string
	}{
		"Maven":                         {map[string]string{"pom.xml": ""}, "target/surefire-reports/TEST-a.xml"},
		"a module of Maven":             {map[string]string{"pom.xml": ""}, "a/b/target/surefire-reports/TEST-a.xml"},
		"Gradle":                        {map[string]string{"build.gradle": ""}, "build/test-results/test/TEST-a.xml"},
		"a task of a module of Gradle":  {map[string]string{"settings.gradle": ""}, "a/b/build/test-results/jvmTest/TEST-a.xml"},
		"a profile of nextest for Rust": {map[string]string{"Cargo.toml": "", ".config/nextest.toml": "[profile.ci.junit]\n"}, "target/nextest/ci/junit.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			test.files[test.report] = "<testsuite/>"
			dir := folder(t, test.files)
			found, err := detect(dir)
			if err != nil {
				t.Fatal(err)
			}
			files, err := tests.FindReports("JUnit", dir, found.junit, time.Time{})
			if err != nil || len(files.Found) != 1 {
				t.Errorf("got %v, %v", files, err)
			}
		})
	}
}

func TestFilesThatNeverEndAreNoProject(t *testing.T) {
	dir := t.TempDir()
	// A commit can hold such links.
	for _, name := range []string{"package.json", "composer.json", "Cargo.toml", "Gemfile.lock", "a.csproj"} {
		if err := os.Symlink("/dev/zero", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = nodeCommand(dir), phpCommand(dir)
		_, _ = dotnetCommand(dir), mentions(dir, "Gemfile.lock", "rspec")
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("a file is still being read")
	}
}
