package github

import (
	"context"
	"fmt"
	"slices"
)

// BranchRules are the rules that rulesets have for one branch. The double tells them and does not hold anybody to them.
type BranchRules struct {
	// PullRequest requires one, with so many approvals, which a push dismisses if DismissStale.
	PullRequest  bool     `json:"pull_request"`
	Approvals    int      `json:"approvals"`
	DismissStale bool     `json:"dismiss_stale"`
	NoForce      bool     `json:"no_force"`
	Checks       []string `json:"checks"`
	Strict       bool     `json:"strict"`
	MergeQueue   bool     `json:"merge_queue"`
	// Classic is branch protection of the older kind, of which a workflow's token is told the required checks alone.
	Classic bool `json:"classic"`
}

// SetRules gives a branch rules, in place of those it had.
func (r *Repository) SetRules(branch string, rules BranchRules) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return err
	}
	if !validBranch(branch) {
		return fmt.Errorf("setting rules of %q: it is no branch name", branch)
	}
	if repo.Rules == nil {
		repo.Rules = map[string]BranchRules{}
	}
	repo.Rules[branch] = rules
	return r.s.save()
}

// getRules answers GET rules/branches/{branch}, of a branch that need not exist. Classic protection is not among them.
func (s *Server) getRules(_ context.Context, c *call) (int, any, error) {
	rules := c.repo.Rules[c.params["branch"]]
	shown := []object{}
	add := func(is bool, kind string, parameters object) {
		if !is || rules.Classic {
			return
		}
		rule := object{"type": kind, "ruleset_source_type": "Repository", "ruleset_source": c.repo.fullName(), "ruleset_id": c.repo.ID}
		if parameters != nil {
			rule["parameters"] = parameters
		}
		shown = append(shown, rule)
	}
	add(rules.PullRequest, "pull_request", object{
		"required_approving_review_count": rules.Approvals, "dismiss_stale_reviews_on_push": rules.DismissStale,
		"require_code_owner_review": false, "require_last_push_approval": false, "required_review_thread_resolution": false,
	})
	add(rules.NoForce, "non_fast_forward", nil)
	add(len(rules.Checks) > 0 || rules.Strict, "required_status_checks", object{
		"required_status_checks": rules.requiredChecks(), "strict_required_status_checks_policy": rules.Strict,
	})
	add(rules.MergeQueue, "merge_queue", object{
		"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5, "max_entries_to_merge": 5,
		"merge_method": "SQUASH", "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
	})
	return 200, paginate(s, c, shown), nil
}

// any says whether there is a rule, which is when GitHub calls the branch protected.
func (r BranchRules) any() bool {
	return r.Classic || r.PullRequest || r.NoForce || r.Strict || r.MergeQueue || len(r.Checks) > 0
}

func (r BranchRules) requiredChecks() []object {
	checks := []object{}
	for _, name := range r.Checks {
		checks = append(checks, object{"context": name})
	}
	return checks
}

// showProtection is what GET branches/{branch} tells of classic protection.
func (r BranchRules) showProtection() object {
	checks := object{"enforcement_level": "off", "contexts": []string{}, "checks": []object{}}
	if r.Classic && len(r.Checks) > 0 {
		all := []object{}
		for _, name := range r.Checks {
			all = append(all, object{"context": name, "app_id": nil})
		}
		checks = object{"enforcement_level": "non_admins", "contexts": slices.Clone(r.Checks), "checks": all}
	}
	return object{"enabled": r.Classic, "required_status_checks": checks}
}
