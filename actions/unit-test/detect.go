package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/promote/pkg/regular"
)

// project is a kind of project: what shows that a folder holds one, and how its tests are run.
type project struct {
	kind string
	// files are patterns; one that matches is enough.
	files []string
	// command gives what bash runs, or "" if this folder has no tests of this kind after all.
	command func(dir string) string
	// junit is where the command leaves its results; reports is the same for kinds where it depends on the folder.
	junit   []string
	reports func(dir string) []string
}

// projects is the whole table. Where a test runner can write JUnit by itself, it is asked to, into the folder that
// PROMOTE_REPORTS names.
var projects = []project{
	{kind: "Go", files: []string{"go.mod", "go.work"}, command: goCommand},
	{kind: "Node", files: []string{"package.json"}, command: nodeCommand},
	{
		kind:    "Python",
		files:   []string{"pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "requirements.txt"},
		command: pythonCommand,
	},
	{
		kind: "Java (Maven)", files: []string{"pom.xml"}, command: wrapped("mvnw", "mvn", "--batch-mode --fail-at-end test"),
		junit: []string{"**/target/surefire-reports/TEST-*.xml"},
	},
	{
		kind: "Java (Gradle)", files: []string{"build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"},
		// Without cleanTest, Gradle runs no test that passed in this folder before, and writes no report.
		command: wrapped("gradlew", "gradle", "cleanTest test --continue"),
		junit:   []string{"**/build/test-results/**/TEST-*.xml"},
	},
	{kind: "Rust", files: []string{"Cargo.toml"}, command: rustCommand, reports: nextestReports},
	{kind: "Ruby", files: []string{"Gemfile", "Rakefile", ".rspec"}, command: rubyCommand},
	{kind: "PHP", files: []string{"phpunit.xml", "phpunit.xml.dist", "composer.json"}, command: phpCommand},
	{kind: ".NET", files: []string{"*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"}, command: dotnetCommand},
}

// detection is the one project that a folder holds.
type detection struct {
	kind, command string
	junit         []string
}

// detect finds the kind of project in a folder. None and more than one are errors that say what was looked for or found.
func detect(dir string) (detection, error) {
	var found []detection
	var because []string
	for _, p := range projects {
		file := firstMatch(dir, p.files)
		if file == "" {
			continue
		}
		if command := p.command(dir); command != "" {
			if p.reports != nil {
				p.junit = p.reports(dir)
			}
			found = append(found, detection{kind: p.kind, command: command, junit: p.junit})
			because = append(because, fmt.Sprintf("%s (%s)", p.kind, file))
		}
	}
	switch len(found) {
	case 0:
		kinds := make([]string, len(projects))
		for i, p := range projects {
			kinds[i] = p.kind
		}
		return detection{}, fmt.Errorf("the folder %q holds no project that is known by its files (%s)", dir, strings.Join(kinds, ", "))
	case 1:
		return found[0], nil
	}
	return detection{}, fmt.Errorf("the folder %q holds several projects: %s", dir, strings.Join(because, ", "))
}

func firstMatch(dir string, patterns []string) string {
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(filepath.Join(globEscape(dir), pattern))
		if len(matches) > 0 {
			return filepath.Base(matches[0])
		}
	}
	return ""
}

// globEscape makes a folder's name stand for itself in a pattern.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// mentions says whether a file of the folder holds the text.
func mentions(dir, name, text string) bool {
	data, err := regular.Read(filepath.Join(dir, name), projectCap)
	return err == nil && strings.Contains(string(data), text)
}
