package workflow

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/org/promote/pkg/regular"
)

// known is what this version of promote takes and suggests.
type known struct {
	// inputs are those of each action; true stands for a required one.
	inputs map[string]map[string]bool
	// jobs are those of the templates.
	jobs []use
}

// load reads the tree of promote.
func load(root string) (known, error) {
	k := known{inputs: map[string]map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(root, "actions", "*", "action.yml"))
	if err != nil || len(files) == 0 {
		return known{}, fmt.Errorf("%q holds no actions; GITHUB_ACTION_PATH names the folder of the one that runs", root)
	}
	for _, file := range files {
		data, err := regular.Read(file, fileCap)
		var action struct {
			Inputs map[string]struct{ Required bool }
		}
		if err == nil {
			err = yaml.Unmarshal(data, &action)
		}
		if err != nil {
			return known{}, fmt.Errorf("reading %q: %w", file, err)
		}
		inputs := map[string]bool{}
		for name, input := range action.Inputs {
			inputs[name] = input.Required
		}
		k.inputs[filepath.Base(filepath.Dir(file))] = inputs
	}
	for _, name := range list(filepath.Join(root, "workflows-templates")) {
		jobs, err := read(root, filepath.Join(root, "workflows-templates", name), name)
		if err != nil {
			return known{}, fmt.Errorf("reading the template %q: %w", name, err)
		}
		k.jobs = append(k.jobs, jobs...)
	}
	return k, nil
}

// alike are the jobs of the templates that do the same: the same action in the same mode, for a preview or not.
func (k known) alike(u use) []use {
	return slices.DeleteFunc(slices.Clone(k.jobs), func(t use) bool { return t.kind() != u.kind() })
}

// needs are the rights on GitHub that every such job of the templates has. `id-token` is none: it is for a role by OIDC, which a job
// on a runner with credentials of its own does without.
func (k known) needs(u use) map[string]string {
	var common map[string]string
	for _, t := range k.alike(u) {
		if common == nil {
			common = maps.Clone(t.job.permissions)
			continue
		}
		for scope, level := range common {
			switch have := t.job.permissions[scope]; {
			case have == "":
				delete(common, scope)
			case level == "write" && have != "write":
				common[scope] = have
			}
		}
	}
	delete(common, "id-token")
	if value, given := u.with["reuse"]; given && strings.EqualFold(value.text, "false") {
		delete(common, "pull-requests") // it is for finding an earlier result
	}
	return common
}

// closest is the known name that a mistyped one is most likely meant to be, "" when none is close.
func closest(name string, names map[string]bool) string {
	best, least := "", 3 // more than two letters off is another word
	for _, each := range slices.Sorted(maps.Keys(names)) {
		if d := distance(name, each); d < least {
			best, least = each, d
		}
	}
	return best
}

// distance is how many letters have to be put in, taken out or changed to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
