// Command actiondoc writes the tables of inputs and outputs in actions/*/README.md from actions/*/action.yml, between the
// markers <!-- inputs --> … <!-- /inputs --> and <!-- outputs --> … <!-- /outputs -->. Its tests fail when a table is out of
// date, and when what an action declares, hands on and reads is not the same.
//
// It refuses a README without the markers. Run it after a change to an action.yml:
//
//	go run ./internal/actiondoc
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run("actions"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run brings the READMEs of all actions below dir up to date and prints those that changed.
func run(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "action.yml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("looking for %s: none found; run this in the repository's root", filepath.Join(dir, "*", "action.yml"))
	}
	for _, file := range files {
		readme := filepath.Join(filepath.Dir(file), "README.md")
		old, fresh, err := document(file, readme)
		if err != nil {
			return err
		}
		if bytes.Equal(old, fresh) {
			continue
		}
		if err := os.WriteFile(readme, fresh, 0o644); err != nil {
			return fmt.Errorf("writing the tables: %w", err)
		}
		fmt.Println("updated", readme)
	}
	return nil
}

// document gives a README as it is and as it should be.
func document(actionFile, readme string) (old, fresh []byte, err error) {
	a, err := load(actionFile)
	if err != nil {
		return nil, nil, err
	}
	if old, err = os.ReadFile(readme); err != nil {
		return nil, nil, fmt.Errorf("reading the README of %q: %w", actionFile, err)
	}
	text := string(old)
	for marker, table := range map[string]string{"inputs": inputTable(a), "outputs": outputTable(a)} {
		if text, err = between(text, marker, table); err != nil {
			return nil, nil, fmt.Errorf("writing the tables of %q: %w", readme, err)
		}
	}
	return old, []byte(text), nil
}

// between puts body between a pair of markers.
func between(text, marker, body string) (string, error) {
	begin, end := "<!-- "+marker+" -->", "<!-- /"+marker+" -->"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("it lacks the markers %s and %s", begin, end)
	}
	return before + begin + "\n" + body + end + after, nil
}
