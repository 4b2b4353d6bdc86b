package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"sigs.k8s.io/yaml"

	"github.com/org/promote/lab/show"
	"github.com/org/promote/lab/world"
)

// besides is the folder in a service's own that says how it is tried: stores.yaml with what AWS has for each environment, and
// changes as patches, one pull request each, in the order of their names.
const besides = "try"

// spoilt ends the name of a change that production is expected to take back.
const spoilt = ".bad.patch"

// Try is the verb `lab try`: it takes any service, as its folder is, through the lab to production and tells it as a story, and
// then each change that the folder try/ in it has. Without one a second release is made of the same code, so that there
// is a canary to see. prepare gets the service's Dockerfile, for what its build needs from the lab.
//
// It refuses a folder without workflows, manifests or a Dockerfile, and returns an error when a release ends otherwise than expected.
func Try(ctx context.Context, args []string, prepare func(ctx context.Context, dockerfile string) error) error {
	flags := flag.NewFlagSet("try", flag.ContinueOnError)
	suite := flags.String("suite", "", "folder of the promote repository; default: the one the command runs in")
	name := flags.String("name", "", "name of the service; default: that of its folder")
	path := flags.String("path", "/", "what clients ask the service for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: lab try [-name NAME] [-path PATH] FOLDER, the folder of a service with its Dockerfile, deploy/ and .github/workflows/")
	}
	if *suite == "" {
		dir, err := findSuite()
		if err != nil {
			return err
		}
		*suite = dir
	}
	w, err := world.Load(world.DefaultDir())
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return err
	}
	if *name == "" {
		*name = filepath.Base(folder)
	}
	dockerfile, err := checkFolder(folder, *name)
	if err != nil {
		return err
	}
	if err := prepare(ctx, dockerfile); err != nil {
		return err
	}
	return PlayService(ctx, w, *suite, *name, folder, *path, os.Stdout)
}

// checkFolder says everything that a service's folder lacks for this.
func checkFolder(folder, name string) (dockerfile string, err error) {
	var problems []error
	if !regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`).MatchString(name) {
		problems = append(problems, fmt.Errorf("the service's name %q must have small letters, digits and dashes alone, 40 at most: rename the folder, or give -name", name))
	}
	for what, advice := range map[string]string{
		"Dockerfile":        "the image is built from it",
		"deploy":            "it has the manifest templates; docs/templates.md says what they can do",
		".github/workflows": "copy the files of workflows-templates there, and edit the lines for tests",
	} {
		if _, err := os.Stat(filepath.Join(folder, what)); err != nil {
			problems = append(problems, fmt.Errorf("there is no %s in %s: %s", what, folder, advice))
		}
	}
	data, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, err)
	}
	return string(data), errors.Join(problems...)
}

// PlayService plays a service's first release and then each of its changes.
func PlayService(ctx context.Context, w world.World, suite, name, folder, path string, out io.Writer) error {
	suite, err := filepath.Abs(suite)
	if err != nil {
		return err
	}
	stores, err := readStores(filepath.Join(folder, besides, "stores.yaml"))
	if err != nil {
		return err
	}
	s, err := setTheScene(ctx, w, stranger(name, folder, path, stores), suite, filepath.Join(w.StateDir, "try", name), out)
	if err != nil {
		return fmt.Errorf("setting the scene: %w", err)
	}
	defer s.close(ctx)
	parts, err := s.trial()
	if err != nil {
		return err
	}
	err = s.perform(ctx, parts)
	if err == nil {
		err = s.tried(parts)
	}
	return errors.Join(err, s.present(parts, err))
}

// Remove takes away what a service's trial has left to look at.
func Remove(ctx context.Context, w world.World, name string) error {
	s := &scene{world: w, service: stranger(name, "", "/", nil)}
	if err := s.connect(ctx); err != nil {
		return err
	}
	return s.sweep(ctx)
}

// readStores reads what Secrets Manager and Parameter Store have, by environment. A service may need nothing of them.
func readStores(file string) (map[string]store, error) {
	stores := map[string]store{}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return stores, nil
	}
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(data, &stores); err != nil {
		return nil, fmt.Errorf("reading %q: want `secrets` and `parameters` below each environment: %w", file, err)
	}
	for env := range stores {
		if !slices.Contains(world.Environments, env) {
			return nil, fmt.Errorf("reading %q: there is no environment %q, only %s", file, env, strings.Join(world.Environments, ", "))
		}
	}
	return stores, nil
}

// trial is the first release, and a pull request for each change.
func (s *scene) trial() ([]part, error) {
	way := func(title, branch, message string, change func(context.Context) error, good bool) part {
		return part{
			title: title, branch: branch, message: message, change: change, play: promote,
			expect: map[string]bool{"unit-test": true, "pull-request": true, "approval": true, "production": good},
		}
	}
	parts := []part{way("The first release of "+s.service.name, "first", "Add "+s.service.name, s.copyService, true)}
	files, err := filepath.Glob(filepath.Join(s.service.source, besides, "*.patch"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".patch"), ".bad")
		change := func(ctx context.Context) error { return s.git(ctx, s.clone, "apply", "--index", file) }
		good := !strings.HasSuffix(file, spoilt)
		title := "A change: " + name
		if !good {
			title = "A change that production is to take back: " + name
		}
		parts = append(parts, way(title, name, "Change "+name, change, good))
	}
	if len(files) == 0 {
		parts = append(parts, way("A second release of the same code", "again", "Say more in the README", s.again, true))
	}
	return parts, nil
}

// again changes a file that nothing is made of.
func (s *scene) again(context.Context) error {
	return os.WriteFile(filepath.Join(s.clone, "README.md"), []byte("# "+s.service.name+"\n\nReleased again.\n"), 0o644)
}

// tried prints where each change got to and what clients saw of it. Whoever asks for the first release alone sees nothing fail; a
// bad one may fail its own requests and nobody else's.
func (s *scene) tried(parts []part) error {
	s.timeline.act("What happened")
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pull request\tcommit\tunit\tbuild\ttest\tstage\tprod\tproduction serves\trequests\tfailed")
	var problems []error
	for i := range parts {
		p := &parts[i]
		statuses := s.statuses(p.head)
		requests, failed := s.count(p)
		fmt.Fprintf(w, "#%d %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", p.number, p.message, p.head[:7], statuses["promote/unit-test"], statuses["promote/build"],
			statuses["promote/test"], statuses["promote/stage"], statuses["promote/prod"], p.after["prod"], requests, failed)
		e := show.Expectation{
			What: p.name() + ": production serves it, and no client noticed",
			OK:   strings.HasPrefix(p.after["prod"], p.head[:7]) && failed == 0,
			Seen: fmt.Sprintf("production serves %s, %d of %d requests failed", p.after["prod"], failed, requests),
		}
		if !p.expect["production"] {
			e.What = p.name() + ": production serves " + p.before["prod"] + " as before"
			e.OK = p.after["prod"] == p.before["prod"]
		}
		s.expected = append(s.expected, e)
		if !e.OK {
			problems = append(problems, fmt.Errorf("%s: %s", e.What, e.Seen))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nlogs of every run, request and event: %s\n", s.dir)
	return errors.Join(problems...)
}
