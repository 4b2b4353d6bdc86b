package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// epochArg is the build argument that BuildKit takes the image's time stamps from; [BuildRequest.Epoch] sets it.
const epochArg = "SOURCE_DATE_EPOCH"

var (
	argName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secretID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	platform = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+){1,2}$`)
	target   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// checked gives the request with absolute paths and its defaults, or an error with everything that is wrong with it.
func (r BuildRequest) checked() (BuildRequest, error) {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if dir, err := filepath.Abs(r.Context); err != nil {
		add("finding build context %q: %w", r.Context, err)
	} else if info, err := os.Stat(dir); err != nil {
		add("opening build context %q: %w", r.Context, reason(err))
	} else if !info.IsDir() {
		add("opening build context %q: it is not a folder", r.Context)
	} else {
		r.Context = dir
		problems = append(problems, r.checkMaterial())
	}
	if !slices.Contains(append(Builders(), "", auto), r.Builder) {
		problems = append(problems, unknownBuilder(r.Builder))
	}
	for name := range r.Args {
		if !argName.MatchString(name) {
			add("reading build argument %q: its name is not letters, digits and underscores", name)
		} else if name == epochArg {
			add("reading build argument %q: it is always the commit's time", name)
		}
	}
	for id, path := range r.Secrets {
		if !secretID.MatchString(id) {
			add("reading build secret %q: its id is not letters, digits, dots, dashes and underscores", id)
		} else if _, err := os.Stat(path); err != nil {
			add("reading build secret %q: %w", id, reason(err))
		}
	}
	for _, label := range r.Labels {
		if key, _, found := strings.Cut(label, "="); !found || key == "" {
			add("reading label %q: it is not key=value", label)
		}
	}
	for _, p := range r.Platforms {
		if !platform.MatchString(p) {
			add("reading platform %q: it is not like linux/amd64", p)
		}
	}
	if r.Target != "" && !target.MatchString(r.Target) {
		add("reading target %q: it is not the name of a build stage", r.Target)
	}
	if err := CheckCache(r.Cache); r.Cache != "" && err != nil {
		problems = append(problems, err)
	}
	if err := CheckBase(r.Base); r.Base != "" && err != nil {
		problems = append(problems, err)
	}
	if r.Epoch.Unix() <= 0 {
		add("building %q: the time for the image's time stamps is not set", r.Context)
	}
	if err := r.locateOut(); err != nil {
		problems = append(problems, err)
	}
	return r, errors.Join(problems...)
}

// checkMaterial checks that what the image is to be made of is there, and that the request asks for nothing that only goes
// with something else: it would be ignored without a word.
func (r *BuildRequest) checkMaterial() error {
	of, because := r.Material()
	var problems []error
	unused := func(set bool, what, fix string) {
		if set {
			problems = append(problems, fmt.Errorf("reading %s: it has no meaning for an image made of %s (%s); %s", what, of, because, fix))
		}
	}
	if of == FromDockerfile {
		const fix = "say it in the Dockerfile, or choose builder go or files"
		unused(r.Base != "", "the base", fix)
		unused(len(r.Entrypoint) > 0, "the entrypoint", fix)
		unused(len(r.Files) > 0, "the files", fix)
		return errors.Join(append(problems, r.locateDockerfile())...)
	}
	const fix = "leave it out, or choose a builder that reads a Dockerfile"
	unused(len(r.Args) > 0, "the build arguments", fix)
	unused(len(r.Secrets) > 0, "the build secrets", fix)
	unused(r.Target != "", "the target", fix)
	unused(r.Cache != "", "the cache", fix)
	if of == FromGo {
		_, err := programName(r.Context)
		problems = append(problems, err)
	} else if len(r.Files) == 0 {
		problems = append(problems, errors.New("reading the files: none is listed, and builder files makes an image of nothing else"))
	}
	return errors.Join(append(problems, r.CheckFiles())...)
}

// CheckFiles says whether the files that are to go into the image can, and where; it reports all that cannot.
func (r BuildRequest) CheckFiles() error {
	_, err := r.placed()
	return err
}

// String names the material in a sentence.
func (m Material) String() string {
	switch m {
	case FromGo:
		return "a Go main package"
	case FromFiles:
		return "files"
	}
	return "a Dockerfile"
}

// locateDockerfile makes the Dockerfile's path absolute and checks that there is a file.
func (r *BuildRequest) locateDockerfile() error {
	path := r.dockerfile()
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("opening Dockerfile %q: %w", path, reason(err))
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("opening Dockerfile %q: it is not a file", path)
	}
	r.Dockerfile = path
	return nil
}

// locateOut makes the output folder's path absolute and checks that nothing is in it: an older image there would be
// mixed with the new one.
func (r *BuildRequest) locateOut() error {
	if r.Out == "" {
		return errors.New("building: no folder for the image is given")
	}
	dir, err := filepath.Abs(r.Out)
	if err != nil {
		return fmt.Errorf("finding the folder for the image: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("opening the folder for the image %q: %w", dir, reason(err))
	}
	if len(entries) > 0 {
		return fmt.Errorf("opening the folder for the image %q: it is not empty", dir)
	}
	r.Out = dir
	return nil
}

// reason is what went wrong with a file, without the path that the caller names anyway.
func reason(err error) error {
	var failed *os.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
