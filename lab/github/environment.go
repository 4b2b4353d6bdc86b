package github

import (
	"context"
	"fmt"
	"strings"
)

// Environment is how an environment guards the jobs that name it. The double tells it and starts no jobs.
type Environment struct {
	// Reviewers are logins, one of whom has to let a job go; Wait is in minutes.
	Reviewers []string `json:"reviewers"`
	Wait      int      `json:"wait"`
	// Protected lets only branches with protection deploy; Refs are patterns of those that may, and one that begins with tags/ is of tags.
	Protected bool     `json:"protected"`
	Refs      []string `json:"refs"`
}

// SetEnvironment makes an environment, or changes it.
func (r *Repository) SetEnvironment(name string, e Environment) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return err
	}
	if repo.Environments == nil {
		repo.Environments = map[string]Environment{}
	}
	repo.Environments[key(name)] = e
	return r.s.save()
}

// SetSubjectClaims makes the claim `sub` of jobs' tokens of these claims; none means GitHub's own form.
func (r *Repository) SetSubjectClaims(claims ...string) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return err
	}
	repo.SubjectClaims = claims
	return r.s.save()
}

// SetImmutableSubject puts ids beside the names in the claim `sub` of jobs' tokens, as in every repository that is newer than June 2026.
func (r *Repository) SetImmutableSubject(immutable bool) error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	repo, err := r.record()
	if err != nil {
		return err
	}
	repo.ImmutableSubject = immutable
	return r.s.save()
}

// getSubject answers GET actions/oidc/customization/sub.
func (s *Server) getSubject(_ context.Context, c *call) (int, any, error) {
	prefix := "repo:" + c.repo.fullName()
	if c.repo.ImmutableSubject {
		prefix = fmt.Sprintf("repo:%s-%d/%s-%d", c.repo.Owner, s.state.Users[key(c.repo.Owner)].ID, c.repo.Name, c.repo.ID)
	}
	shown := object{"use_default": len(c.repo.SubjectClaims) == 0, "use_immutable_subject": c.repo.ImmutableSubject, "sub_claim_prefix": prefix}
	if len(c.repo.SubjectClaims) > 0 {
		shown["include_claim_keys"] = c.repo.SubjectClaims
	}
	return 200, shown, nil
}

func (c *call) environment() (Environment, error) {
	e, there := c.repo.Environments[key(c.params["environment_name"])]
	if !there {
		return e, notFound()
	}
	return e, nil
}

// getEnvironment answers GET environments/{environment_name}.
func (s *Server) getEnvironment(_ context.Context, c *call) (int, any, error) {
	e, err := c.environment()
	if err != nil {
		return 0, nil, err
	}
	name := c.params["environment_name"]
	rules := []object{}
	add := func(kind string, rest object) {
		id := c.repo.ID*10 + int64(len(rules))
		rules = append(rules, object{"id": id, "node_id": nodeID("GateRule", id), "type": kind}.with(rest))
	}
	if e.Wait > 0 {
		add("wait_timer", object{"wait_timer": e.Wait})
	}
	if len(e.Reviewers) > 0 {
		people := []object{}
		for _, login := range e.Reviewers {
			people = append(people, object{"type": "User", "reviewer": s.showLogin(login)})
		}
		add("required_reviewers", object{"prevent_self_review": false, "reviewers": people})
	}
	var policy any
	if e.Protected || len(e.Refs) > 0 {
		add("branch_policy", nil)
		policy = object{"protected_branches": e.Protected, "custom_branch_policies": !e.Protected}
	}
	return 200, object{
		"id": c.repo.ID, "node_id": nodeID("Environment", c.repo.ID), "name": name,
		"url": s.apiURL(c.repo) + "/environments/" + escape(name), "html_url": s.htmlURL(c.repo) + "/deployments/activity_log?environments_filter=" + escape(name),
		"created_at": stamp(c.repo.CreatedAt), "updated_at": stamp(c.repo.CreatedAt), "protection_rules": rules, "deployment_branch_policy": policy,
	}, nil
}

// listBranchPolicies answers GET environments/{environment_name}/deployment-branch-policies.
func (s *Server) listBranchPolicies(_ context.Context, c *call) (int, any, error) {
	e, err := c.environment()
	if err != nil {
		return 0, nil, err
	}
	shown := []object{}
	for i, ref := range e.Refs {
		name, tag := strings.CutPrefix(ref, "tags/")
		kind := "branch"
		if tag {
			kind = "tag"
		}
		id := c.repo.ID*100 + int64(i)
		shown = append(shown, object{"id": id, "node_id": nodeID("GateBranchPolicy", id), "name": name, "type": kind})
	}
	return 200, object{"total_count": len(shown), "branch_policies": paginate(s, c, shown)}, nil
}
