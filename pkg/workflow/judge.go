package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/org/promote/pkg/preflight"
)

// judge compares steps with what this version takes and suggests. running is the ref that this very run was asked for by, if known.
func judge(uses []use, k known, running string) []preflight.Finding {
	var findings []preflight.Finding
	troubled := map[string]bool{}
	fits := map[string]int{}
	var files []string
	for _, u := range uses {
		if !slices.Contains(files, u.file) {
			files = append(files, u.file)
		}
		found := slices.Concat(u.inputs(k), u.rights(k), u.bounds(k), u.cancelled())
		for _, f := range found {
			troubled[u.file] = troubled[u.file] || f.State == preflight.Wrong
		}
		fits[u.file]++
		findings = append(findings, found...)
	}
	for _, file := range files {
		if !troubled[file] {
			findings = append(findings, preflight.Finding{Subject: file, State: preflight.Good, Told: fmt.Sprintf("its %s what this version takes", steps(fits[file]))})
		}
	}
	return append(findings, versions(uses, running)...)
}

func steps(n int) string {
	if n == 1 {
		return "step of promote's gives"
	}
	return fmt.Sprintf("%d steps of promote's give", n)
}

// at is a finding in a line of the step's file.
func (u use) at(line int, state preflight.State, told, fix string) preflight.Finding {
	return preflight.Finding{Subject: fmt.Sprintf("%s:%d", u.file, line), State: state, Told: told, Fix: fix}
}

// inputs finds those that the action does not have, and those that it cannot do without.
func (u use) inputs(k known) []preflight.Finding {
	var findings []preflight.Finding
	declared := k.inputs[u.action]
	for _, name := range slices.Sorted(maps.Keys(u.with)) {
		if _, there := declared[name]; there {
			continue
		}
		fix := fmt.Sprintf("take it out; %s takes %s", u.action, strings.Join(slices.Sorted(maps.Keys(declared)), ", "))
		if meant := closest(name, declared); meant != "" {
			fix = fmt.Sprintf("write `%s`, or take it out", meant)
		}
		findings = append(findings, u.at(u.with[name].line, preflight.Wrong, fmt.Sprintf("%s has no input %q, and GitHub only warns of that", u.action, name), fix))
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if _, given := u.with[name]; declared[name] && !given {
			findings = append(findings, u.at(u.line, preflight.Wrong, fmt.Sprintf("%s gets no input %q, which it requires", u.action, name), fmt.Sprintf("add `%s` below its `with:`", name)))
		}
	}
	return findings
}

// rights finds the permissions that the job lacks and that the templates' jobs of the same kind have.
func (u use) rights(k known) []preflight.Finding {
	needs := k.needs(u)
	switch {
	case len(needs) == 0 || u.job.word == "write-all":
		return nil
	case !u.job.named:
		return []preflight.Finding{u.at(u.job.line, preflight.Noted, fmt.Sprintf("job %s names no permissions, so its token has those that the repository gives by default", u.job.name),
			"add to the job:\npermissions:\n  "+strings.Join(lines(needs), "\n  "))}
	}
	missing := map[string]string{}
	for scope, level := range needs {
		have := u.job.permissions[scope]
		if u.job.word == "read-all" {
			have = "read"
		}
		if have != "write" && have != level {
			missing[scope] = level
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []preflight.Finding{u.at(u.job.at, preflight.Wrong, fmt.Sprintf("job %s lacks rights that %s needs", u.job.name, u.action),
		"add to its permissions:\n"+strings.Join(lines(missing), "\n"))}
}

// lines writes permissions as YAML, in order.
func lines(permissions map[string]string) []string {
	var all []string
	for _, scope := range slices.Sorted(maps.Keys(permissions)) {
		all = append(all, scope+": "+permissions[scope])
	}
	return all
}

// bounds finds a job that runs for GitHub's six hours when something hangs.
func (u use) bounds(k known) []preflight.Finding {
	if u.job.minutes != "" {
		return nil
	}
	suggested := "30"
	if alike := k.alike(u); len(alike) > 0 {
		suggested = alike[0].job.minutes
	}
	return []preflight.Finding{u.at(u.job.line, preflight.Noted, fmt.Sprintf("job %s has no time limit but GitHub's six hours", u.job.name), fmt.Sprintf("add `timeout-minutes: %s`", suggested))}
}

// cancelled finds deployments that the next run cuts off in the middle.
func (u use) cancelled() []preflight.Finding {
	if u.action != "deploy" && u.action != "canary" {
		return nil
	}
	told := fmt.Sprintf("the next run cancels job %s in the middle of its deployment", u.job.name)
	const fix = "set `cancel-in-progress: false`"
	switch c := u.job.cancels; {
	case strings.EqualFold(c.text, "true"):
		return []preflight.Finding{u.at(c.line, preflight.Wrong, told, fix)}
	case strings.Contains(c.text, "${{"):
		return []preflight.Finding{u.at(c.line, preflight.Noted, "whether "+told+" is up to an expression", fix)}
	}
	return nil
}

// versions finds steps that name another version than the others, or than the one that runs.
func versions(uses []use, running string) []preflight.Finding {
	first := running
	if first == "" && len(uses) > 0 {
		first = uses[0].ref
	}
	var findings []preflight.Finding
	for _, u := range uses {
		if u.ref == first {
			continue
		}
		told := fmt.Sprintf("%s is of version %s, and other steps are of %s", u.action, u.ref, first)
		if running != "" {
			told = fmt.Sprintf("%s is of version %s, and this run is of %s", u.action, u.ref, first)
		}
		findings = append(findings, u.at(u.line, preflight.Noted, told, "name one version everywhere; what one has written the others must read"))
	}
	return findings
}
