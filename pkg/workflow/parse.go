package workflow

import (
	"errors"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/org/promote/pkg/aliases"
)

// ours is how a step names an action of promote's, also of a fork or a mirror of it.
var ours = regexp.MustCompile(`^[A-Za-z0-9_.-]+/promote/actions/(unit-test|build|deploy|canary)@(\S+)$`)

// use is a step that uses an action of promote's.
type use struct {
	file        string
	line        int
	action, ref string
	with        map[string]value
	job         *job
}

// value is a text and where it stands.
type value struct {
	text string
	line int
}

// job is what surrounds a step.
type job struct {
	name string
	line int
	// permissions are by scope; named says that they are, in the job or for the whole file, in the line at. Words stand for all
	// scopes: read-all, write-all.
	permissions map[string]string
	word        string
	named       bool
	at          int
	// minutes is the text of timeout-minutes, "" for none.
	minutes string
	// cancels is what stands behind cancel-in-progress, of the job or of the file.
	cancels value
}

// kind is what a step is for: what the rights of its job depend on.
func (u use) kind() string {
	preview := ""
	if strings.EqualFold(u.with["preview"].text, "true") {
		preview = " preview"
	}
	mode := u.with["mode"].text
	// An expression that can say run, as the template's can, needs what a run needs. What another one says nobody knows here.
	if mode == "run" || strings.Contains(mode, "'run'") {
		mode = ""
	}
	return u.action + " " + mode + preview
}

// parse finds the steps that use an action of promote's in one workflow file.
func parse(file string, data []byte) ([]use, error) {
	if err := aliases.Check(data, fileCap); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	top := document.Content[0]
	var uses []use
	for name, each := range pairs(get(top, "jobs")) {
		j := &job{name: name.Value, line: name.Line, minutes: scalar(get(each, "timeout-minutes"))}
		for _, from := range []*yaml.Node{each, top} {
			for key, permissions := range pairs(from) {
				if key.Value == "permissions" && !j.named {
					j.grant(permissions, key.Line)
				}
			}
			if cancels := get(get(from, "concurrency"), "cancel-in-progress"); cancels != nil && j.cancels.text == "" {
				j.cancels = value{scalar(cancels), cancels.Line}
			}
		}
		for _, step := range items(get(each, "steps")) {
			if u, ok := theUse(step); ok {
				u.file, u.job = file, j
				uses = append(uses, u)
			}
		}
	}
	return uses, nil
}

func (j *job) grant(node *yaml.Node, line int) {
	j.named, j.at, j.word, j.permissions = true, line, scalar(node), map[string]string{}
	for scope, level := range pairs(node) {
		j.permissions[scope.Value] = scalar(level)
	}
}

func theUse(step *yaml.Node) (use, bool) {
	uses := get(step, "uses")
	found := ours.FindStringSubmatch(scalar(uses))
	if found == nil {
		return use{}, false
	}
	u := use{line: uses.Line, action: found[1], ref: found[2], with: map[string]value{}}
	for name, given := range pairs(get(step, "with")) {
		u.with[strings.ToLower(name.Value)] = value{scalar(given), name.Line} // names of inputs know no case
	}
	return u, true
}
