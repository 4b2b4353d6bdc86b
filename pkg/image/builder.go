package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// auto stands for the first of [Builders] that works on the machine and makes images of what the request has.
const auto = "auto"

// versionTimeout bounds the question whether a builder works. A docker plugin that is not there answers at once.
const versionTimeout = 10 * time.Second

// builder is one way to make an image. To add one, write a type with these two methods and put it into [builders]; the
// action's input `builder`, its error texts and `auto` all read that table.
type builder interface {
	// find looks for what the builder needs on this machine and touches nothing. Its error says what to install.
	find(ctx context.Context, env []string) (tool, error)
	// build writes one image, or one index of images, as an OCI layout into the empty folder req.Out. The request is checked:
	// its paths are absolute. What goes to log is shown to people; Build has put a filter for secrets in front of it. The
	// same request must give the same digest on another machine: nothing of the clock, the user or the folder's name.
	build(ctx context.Context, with tool, req BuildRequest, log io.Writer) error
}

// tool is what a builder found on the machine.
type tool struct {
	command []string // the program with the arguments that always stand first
	about   string   // one line for the log: its version
}

// registered is a builder with its name.
type registered struct {
	name string
	// of is what it makes images of.
	of Material
	builder
}

// builders in the order "auto" tries them: buildx first, since it also brings up BuildKit where docker runs; buildah last of
// those for a Dockerfile, since its layers are not those of BuildKit.
var builders = []registered{
	{"buildx", FromDockerfile, program{
		commands: [][]string{{"docker", "buildx"}, {"buildx"}, {"docker-buildx"}}, version: "version", args: buildxArgs,
		missing: "docker with the buildx plugin (docker/setup-buildx-action sets it up)",
	}},
	{"buildctl", FromDockerfile, program{
		commands: [][]string{{"buildctl"}}, version: "--version", args: buildctlArgs,
		missing: "buildctl, and BUILDKIT_HOST with the address of a buildkitd",
	}},
	{"buildah", FromDockerfile, buildah{}},
	{"go", FromGo, goBuilder{}},
	{"files", FromFiles, filesBuilder{}},
}

// Builders lists the names that [BuildRequest.Builder] may have besides "auto".
func Builders() []string {
	var names []string
	for _, b := range builders {
		names = append(names, b.name)
	}
	return names
}

func unknownBuilder(name string) error {
	return fmt.Errorf("choosing builder %q: it is not one of: %s, %s", name, auto, strings.Join(Builders(), ", "))
}

// chosen is a builder that was found, with the tool it found.
type chosen struct {
	registered
	tool tool
}

// choose finds the builder for a request and says in the log which and why.
func choose(ctx context.Context, req BuildRequest, log io.Writer) (chosen, error) {
	of, because := req.Material()
	var problems []error
	for _, b := range builders {
		if req.asked() && req.Builder != b.name || !req.asked() && b.of != of {
			continue
		}
		found, err := b.find(ctx, req.Env)
		if err != nil {
			problems = append(problems, fmt.Errorf("builder %q is not here: %w", b.name, err))
			continue
		}
		why := "as asked for"
		if !req.asked() {
			why = because + ", and it is the first that works here"
			for _, problem := range problems {
				why += "; " + problem.Error()
			}
		}
		fmt.Fprintf(log, "builder %s (%s), %s: %s\n", b.name, strings.Join(found.command, " "), why, found.about)
		return chosen{registered: b, tool: found}, nil
	}
	if len(problems) == 0 {
		return chosen{}, unknownBuilder(req.Builder)
	}
	if ctx.Err() != nil {
		return chosen{}, context.Cause(ctx)
	}
	return chosen{}, fmt.Errorf("choosing a builder: %w", errors.Join(problems...))
}

// Chosen says with which builder a request would be built, and why, in one line. It asks the builders on this machine for their version and
// starts none. That there is none is an error that says what to install.
func Chosen(ctx context.Context, req BuildRequest) (string, error) {
	var log strings.Builder
	if _, err := choose(ctx, req, &log); err != nil {
		return "", err
	}
	return strings.TrimSpace(log.String()), nil
}

// locate gives the first of several commands that answers the question for its version.
func locate(ctx context.Context, commands [][]string, version string, env []string) (tool, error) {
	var tried []string
	for _, command := range commands {
		path, err := exec.LookPath(command[0])
		if err != nil {
			tried = append(tried, fmt.Sprintf("no %q on the PATH", command[0]))
			continue
		}
		found := append([]string{path}, command[1:]...)
		text, err := ask(ctx, append(found, version), env)
		if err != nil {
			tried = append(tried, fmt.Sprintf("%q does not work (%v)", strings.Join(append(command, version), " "), err))
			continue
		}
		return tool{command: found, about: text}, nil
	}
	return tool{}, errors.New(strings.Join(tried, ", "))
}

// ask runs a short question and gives the first line of the answer.
func ask(ctx context.Context, command, env []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, nil
}
