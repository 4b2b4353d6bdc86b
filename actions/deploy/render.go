package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/job"
	"github.com/org/promote/pkg/manifest"
	"github.com/org/promote/pkg/release"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/source"
)

// renderOnly shows what would be applied, with placeholders for values. It asks nobody: no AWS, no registry, no GitHub, no cluster.
func renderOnly(ctx context.Context, a *gha.Action, in inputs) error {
	files, filesErr := manifest.Load(in.Manifests)
	if filesErr != nil {
		filesErr = fmt.Errorf("reading the input `manifests`: %w", filesErr)
	}
	values, valuesErr := manifest.ParseValues(in.Values, a.Env().Workspace)
	if valuesErr != nil {
		valuesErr = fmt.Errorf("reading the input `values`: %w", valuesErr)
	}
	if err := errors.Join(filesErr, valuesErr); err != nil {
		return err
	}
	digest, head := in.Digest, job.NoCommit
	if digest == "" {
		digest = job.NoDigest
	}
	if at, err := source.At(ctx, a.Env().Workspace); err == nil { // Without git there is still something to show.
		head = at.Hash
	}
	objects, err := release.Preview(release.Request{
		Service: in.Service, Environment: in.Environment, Namespace: in.Namespace, Image: in.Image + "@" + digest,
		Change: change.Change{Head: head}, Files: manifest.Within(a.Env().Workspace, files), Values: values, Run: a.Env().Run(),
	})
	if err != nil {
		return err
	}
	text, err := objects.YAML()
	if err != nil {
		return err
	}
	a.Infof("%s", strings.TrimSuffix(text, "\n"))
	page := fmt.Sprintf("### 📝 %s in %s: rendered, nobody was asked\n\n", report.Escape(in.Service), report.Escape(in.Environment)) +
		report.Details("What would be applied", report.Code("yaml", text)) + "\n"
	if a.Env().RunID == "" {
		return nil // Outside of a run there is the text alone, so that it can be piped on.
	}
	return errors.Join(a.SetOutput("result", "rendered"), a.SetOutput("changed", "false"), a.Summary(page))
}

// arguments lets a person call the program by hand: "render" and the action's inputs as flags. The inputs then come from the
// flags, and nothing from the environment. Without arguments the environment is left as it is.
func arguments(args []string, getenv func(string) string, complain io.Writer) (func(string) string, error) {
	if len(args) == 0 {
		return getenv, nil
	}
	flags := flag.NewFlagSet("deploy render", flag.ContinueOnError)
	flags.SetOutput(complain)
	if args[0] != "render" {
		err := fmt.Errorf("unknown command %q: there is one, render, which shows what would be applied; without it the program is a GitHub Action", args[0])
		_, _ = fmt.Fprintln(complain, err)
		return nil, err
	}
	inputs := map[string]*string{}
	for _, f := range []struct{ name, value, usage string }{
		{"manifests", "deploy", "`file or folder` of manifest templates"},
		{"values", "", "values for the templates: a YAML mapping, or the `path` of a file that holds one"},
		{"service", "", "`name` of the service (the folder's name)"},
		{"environment", "test", "`name` of the environment"},
		{"namespace", "", "`name` of the namespace (the environment's name)"},
		{"image", "", "`repository` of the image"},
		{"digest", "", "`digest` of the image (zeros)"},
	} {
		inputs[f.name] = flags.String(f.name, f.value, f.usage)
	}
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q; everything is a flag, see -help", flags.Arg(0))
		_, _ = fmt.Fprintln(complain, err)
		return nil, err
	}
	here, err := filepath.Abs(".")
	if err != nil {
		_, _ = fmt.Fprintln(complain, err)
		return nil, err
	}
	if *inputs["service"] == "" {
		*inputs["service"] = filepath.Base(here)
	}
	if *inputs["image"] == "" {
		*inputs["image"] = "registry.invalid/" + *inputs["service"]
	}
	env := map[string]string{"GITHUB_WORKSPACE": here, "INPUT_DRY_RUN": "render"}
	for name, value := range inputs {
		env["INPUT_"+strings.ToUpper(name)] = *value
	}
	return func(name string) string { return env[name] }, nil
}
