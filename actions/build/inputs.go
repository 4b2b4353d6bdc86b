package main

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/org/promote/pkg/agnostic"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
	"github.com/org/promote/pkg/regular"
)

// inputs are what action.yml declares, read and validated before anything is touched.
type inputs struct {
	// repository is where the image goes: registry and path.
	repository string
	// workspace, context and dockerfile are absolute paths; context lies in workspace.
	workspace, context, dockerfile string
	builder                        string
	args                           map[string]string
	// secrets maps ids to values.
	secrets   map[string]string
	target    string
	platforms []string
	// base, entrypoint and files are for images without a Dockerfile.
	base       string
	entrypoint []string
	files      []string
	cache      string // repository:tag, "" for none
	labels     []string
	marker     string
	// agnostic is what a finding of the environment-agnostic check does: error, warn or off.
	agnostic    string
	rules       agnostic.Rules
	sbom        bool
	evidenceKey string
	awsRegion   string
	token       string
	// dryRun looks at what a run needs, and builds nothing.
	dryRun bool
	// material is what the image is made of, which the builder and the checkout decide; because says why.
	material image.Material
	because  string
}

// readInputs reports every problem at once.
func readInputs(a *gha.Action) (inputs, error) {
	in := a.Inputs()
	v := inputs{
		workspace:  a.Env().Workspace,
		repository: in.Required("image", "name the repository to push to, for instance registry.example/team/checkout"),
		context:    in.String("context", "."),
		dockerfile: in.String("dockerfile", "Dockerfile"),
		builder:    in.OneOf("builder", "auto", append([]string{"auto"}, image.Builders()...)...),
		target:     in.String("target", ""),
		platforms:  in.List("platforms"),
		base:       in.String("base", ""),
		entrypoint: lines(in.String("entrypoint", "")),
		files:      lines(in.String("files", "")),
		cache:      in.String("cache", ""),
		marker:     in.String("marker", "test"),
		agnostic:   in.OneOf("environment-agnostic", agnosticError, agnosticError, agnosticWarn, agnosticOff),
		sbom:       in.Bool("sbom", true),

		evidenceKey: in.String("evidence-key", ""),
		awsRegion:   in.String("aws-region", ""),

		dryRun: in.Bool("dry-run", false),

		token: in.Required("github-token", "pass `github-token: ${{ github.token }}`"),
	}
	v.args = pairs(in, "build-args", "NAME=value", in.String("build-args", ""))
	v.secrets = pairs(in, "build-secrets", "id=value", in.String("build-secrets", ""))
	for _, secret := range v.secrets {
		a.Mask(secret)
	}
	for key, value := range pairs(in, "labels", "key=value", in.String("labels", "")) {
		if strings.HasPrefix(key, ownLabels) {
			in.Problem("labels", "sets %q; names that begin with %s are promote's own, choose another", key, ownLabels)
		}
		v.labels = append(v.labels, key+"="+value)
	}
	if v.workspace == "" {
		v.workspace, _ = os.Getwd()
	}
	v.check(in)
	return v, in.Err()
}

// check looks at the values one by one, and makes the paths absolute.
func (v *inputs) check(in *gha.Inputs) {
	if err := image.ParseRepository(v.repository); v.repository != "" && err != nil {
		in.Problem("image", "does not read: %v", err)
	}
	if err := image.CheckTag(v.marker); err != nil {
		in.Problem("marker", "does not read: %v", err)
	} else if image.IsCommitTag(v.marker) || image.IsTreeTag(v.marker) {
		in.Problem("marker", "is %q, which looks like a commit or a tree; set it to a word such as test", v.marker)
	}
	v.checkCache(in)
	v.readRules(in)
	if err := image.CheckBase(v.base); v.base != "" && err != nil {
		in.Problem("base", "does not read: %v", err)
	}
	v.context = under(v.workspace, v.context)
	v.dockerfile = under(v.context, v.dockerfile)
	if info, err := os.Stat(v.context); err != nil || !info.IsDir() {
		in.Problem("context", "is %q, which is no folder of the checkout; put actions/checkout before this step, or name another folder", v.context)
		return
	}
	// A symbolic link comes with the pull request's commit; through one, the builder would be sent the runner's own files.
	if !regular.Inside(v.workspace, v.context) {
		in.Problem("context", "is %q, which leads out of the checkout %q; name a folder in it", v.context, v.workspace)
	}
	v.material, v.because = v.request().Material()
	v.checkMaterial(in)
	if v.material != image.FromDockerfile {
		return
	}
	if info, err := os.Stat(v.dockerfile); err != nil || !info.Mode().IsRegular() {
		in.Problem("dockerfile", "is %q, where no file is; it is relative to the input `context`", v.dockerfile)
	} else if !regular.Inside(v.workspace, v.dockerfile) {
		in.Problem("dockerfile", "is %q, which leads out of the checkout %q; name a file in it", v.dockerfile, v.workspace)
	}
}

// What a finding of the environment-agnostic check does.
const (
	agnosticError = "error"
	agnosticWarn  = "warn"
	agnosticOff   = "off"
)

// readRules reads what the environment-agnostic check looks for and passes over.
func (v *inputs) readRules(in *gha.Inputs) {
	if names := in.List("environments"); len(names) > 0 {
		v.rules.Environments = names
	}
	if err := v.rules.Check(); err != nil {
		in.Problem("environments", "does not read: %v", err)
	}
	var err error
	if v.rules.Allow, err = agnostic.ParseAllow(in.String("agnostic-allow", "")); err != nil {
		in.Problem("agnostic-allow", "does not read: %v", err)
	}
}

// checkMaterial finds inputs that only go with another kind of builder: they would be ignored without a word.
func (v *inputs) checkMaterial(in *gha.Inputs) {
	unread := map[string]bool{"base": v.base != "", "entrypoint": len(v.entrypoint) > 0, "files": len(v.files) > 0}
	fix := "leave it out, or set the input `builder` to go or files"
	if v.material != image.FromDockerfile {
		unread = map[string]bool{"build-args": len(v.args) > 0, "build-secrets": len(v.secrets) > 0, "target": v.target != "", "cache": v.cache != ""}
		fix = "leave it out, or set the input `builder` to one that reads a Dockerfile"
		if len(v.platforms) == 0 {
			v.platforms = []string{"linux/" + runtime.GOARCH} // said, so that it is part of the recipe
		}
		if err := v.request().CheckFiles(); err != nil {
			in.Problem("files", "does not read: %v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		if unread[name] {
			in.Problem(name, "has no meaning for an image made of %s (%s); %s", v.material, v.because, fix)
		}
	}
}

// checkCache reads where layers are kept between builds: `true` is beside the image.
func (v *inputs) checkCache(in *gha.Inputs) {
	switch v.cache {
	case "", "false":
		v.cache = ""
		return
	case "true":
		v.cache = v.repository + ":" + cacheTag
	}
	if err := image.CheckCache(v.cache); v.repository != "" && err != nil {
		in.Problem("cache", "does not read: %v; set it to true, or to a repository with a tag", err)
	} else if _, tag, _ := strings.Cut(v.cache, v.repository+":"); tag == v.marker || image.IsCommitTag(tag) || image.IsTreeTag(tag) {
		in.Problem("cache", "is %q, which is a tag of the image itself; set it to another one, or to true", v.cache)
	}
}

// cacheTag is the tag of the cache beside the image.
const cacheTag = "buildcache"

// request is the build that the inputs ask for, without what a run adds.
func (v *inputs) request() image.BuildRequest {
	return image.BuildRequest{
		Context: v.context, Dockerfile: v.dockerfile, Builder: v.builder, Args: v.args, Target: v.target, Platforms: v.platforms,
		Base: v.base, Entrypoint: v.entrypoint, Files: v.files, Cache: v.cache,
	}
}

// lines reads one item per line; an item may hold commas and spaces.
func lines(text string) []string {
	var items []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			items = append(items, line)
		}
	}
	return items
}

// pairs reads lines of key=value. A line's text stands in no problem: it may be a secret.
func pairs(in *gha.Inputs, name, form, text string) map[string]string {
	found := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		switch {
		case !ok || key == "":
			in.Problem(name, "has a line %d that is not %s; a value of several lines is not possible here, encode it", i+1, form)
		case name == "build-secrets" && value == "":
			in.Problem(name, "has an empty value in line %d; a secret that is not set gives one", i+1)
		default:
			if _, twice := found[key]; twice {
				in.Problem(name, "has %q twice; leave one out", key)
			}
			found[key] = value
		}
	}
	return found
}

// under gives a path relative to dir as an absolute one.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
