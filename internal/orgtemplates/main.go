// Command orgtemplates writes the workflows of workflows-templates/ in the form in which GitHub offers an organization's own in the
// Actions tab of its repositories: NAME.yml with NAME.properties.json beside it, for the folder workflow-templates/ of the
// organization's repository .github. See
// https://docs.github.com/actions/how-tos/reuse-automations/create-workflow-templates.
//
//	go run ./internal/orgtemplates -to ../.github/workflow-templates
//
// It refuses a template without properties, properties without a template or with fields that GitHub does not document, and a mention
// of the main branch that it cannot replace. It never removes what else is in the folder.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "orgtemplates: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("orgtemplates", flag.ContinueOnError)
	from := flags.String("from", "workflows-templates", "folder of the templates")
	to := flags.String("to", "", "folder to write to, such as a clone's .github/workflow-templates")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *to == "" {
		return errors.New("name the folder to write to, as in make export-templates TO=../.github/workflow-templates")
	}
	files, err := export(*from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(*to, file.name), file.data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(out, file.name)
	}
	return nil
}

// file is one that is to be written.
type file struct {
	name string
	data []byte
}

// export gives all files, or every problem at once.
func export(from string) ([]file, error) {
	workflows, err := filepath.Glob(filepath.Join(from, "*.yml"))
	if err != nil || len(workflows) == 0 {
		return nil, fmt.Errorf("finding templates in %q: there are none (%w)", from, errors.Join(err, os.ErrNotExist))
	}
	described, err := filepath.Glob(filepath.Join(from, "properties", "*"+suffix))
	if err != nil {
		return nil, err
	}
	var files []file
	var problems []error
	known := map[string]bool{}
	for _, path := range workflows {
		name := strings.TrimSuffix(filepath.Base(path), ".yml")
		known[name+suffix] = true
		one, err := exportOne(from, name)
		files, problems = append(files, one...), append(problems, err)
	}
	for _, path := range described {
		if !known[filepath.Base(path)] {
			problems = append(problems, fmt.Errorf("reading %q: there is no template of that name", path))
		}
	}
	return files, errors.Join(problems...)
}

// exportOne gives a template and its properties.
func exportOne(from, name string) ([]file, error) {
	text, err := os.ReadFile(filepath.Join(from, name+".yml"))
	if err != nil {
		return nil, err
	}
	workflow, err := withDefaultBranch(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading template %q: %w", name, err)
	}
	properties, err := os.ReadFile(filepath.Join(from, "properties", name+suffix))
	if err != nil {
		return nil, fmt.Errorf("reading template %q: it has no properties: %w", name, err)
	}
	if err := checkProperties(properties); err != nil {
		return nil, fmt.Errorf("reading the properties of template %q: %w", name, err)
	}
	return []file{{name + ".yml", []byte(workflow)}, {name + suffix, properties}}, nil
}
